/** What is shown to those who are not in: how to sign in, or that the server is away. */
import type { AppTexts } from './texts.js';

export function SignIn({ texts, refusal }: { readonly texts: AppTexts; readonly refusal: string | null }) {
  return (
    <main className="app-door">
      <img src="./favicon.svg" alt="" width="40" height="40" />
      <h1>{texts.signInTitle}</h1>
      {refusal !== null && <p role="alert">{refusal}</p>}
      <p>{texts.signInHow}</p>
      <pre>
        <code>prosa token --user NAME</code>
      </pre>
    </main>
  );
}

export function Away({ texts, onRetry }: { readonly texts: AppTexts; readonly onRetry: () => void }) {
  return (
    <main className="app-door">
      <img src="./favicon.svg" alt="" width="40" height="40" />
      <h1>{texts.awayTitle}</h1>
      <p>{texts.awayHow}</p>
      <button type="button" className="prosa-button" onClick={onRetry}>
        {texts.retry}
      </button>
    </main>
  );
}
