/** How something ended, read out as it appears. */

export interface Said {
  readonly isFailure: boolean;
  readonly sentences: readonly string[];
}

export function Sentences({ said }: { readonly said: Said | null }) {
  return (
    // The place is there before its words, so that they are read out.
    <div className="app-outcome" role={said?.isFailure ? 'alert' : 'status'} data-failure={said?.isFailure}>
      {said?.sentences.map(sentence => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}
