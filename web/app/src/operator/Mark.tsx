/** How something stands, in a word and a dot. */

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

export function Mark({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span className="operator-mark" data-tone={tone}>
      {children}
    </span>
  );
}
