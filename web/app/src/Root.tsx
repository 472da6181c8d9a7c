/** Chooses between the chat, the door and the page that says that the server is away. */
import { browserLanguage, Client, ProsaProvider, useRetrying } from '@prosa/react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { App } from './App.js';
import { Away, SignIn } from './Door.js';
import { takeSignInToken } from './route.js';
import { type Entrance, enter } from './session.js';
import { appTexts } from './texts.js';

export interface RootProps {
  /** The entrance that began when the page did, before anything was drawn. */
  readonly entering: Promise<Entrance>;
  readonly base: URL;
}

export function Root({ entering, base }: RootProps) {
  const [entrance, setEntrance] = useState<Entrance | null>(null);
  useEffect(() => {
    void entering.then(setEntrance);
  }, [entering]);
  const again = useCallback(() => void enter(base, null).then(setEntrance), [base]);
  useEffect(() => {
    // A sign-in link may be opened in a window that shows the page already.
    const look = () => {
      const token = takeSignInToken();
      if (token !== null) void enter(base, token).then(setEntrance);
    };
    globalThis.addEventListener('hashchange', look);
    return () => globalThis.removeEventListener('hashchange', look);
  }, [base]);

  useRetrying(entrance?.is === 'away' ? entrance.error : null, again);

  const language = entrance?.language ?? browserLanguage();
  const texts = appTexts(language);
  const client = useMemo(() => new Client({ baseUrl: base, language }), [base, language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  if (entrance?.is === 'out') return <SignIn texts={texts} refusal={entrance.refusal} />;
  if (entrance?.is === 'away') return <Away texts={texts} onRetry={again} />;
  // Until the session is known the frame stands, empty and quiet.
  if (entrance === null) return <div className="app" aria-busy="true" />;

  const signOut = async () => {
    await client.signOut();
    again();
  };
  return (
    <ProsaProvider client={client} language={language}>
      <App session={entrance.session} texts={texts} onSignOut={() => void signOut()} onSignedOut={again} />
    </ProsaProvider>
  );
}
