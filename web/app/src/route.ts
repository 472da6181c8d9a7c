/** The address of the page: which conversation is shown, and a sign-in token in passing. */
import { useSyncExternalStore } from 'react';

const CONVERSATION = /^#\/c\/([^/]+)$/;
const SIGN_IN = /^#sign-in=(.+)$/;

export function addressOf(conversationId: string | null): string {
  return conversationId === null ? '#/' : `#/c/${encodeURIComponent(conversationId)}`;
}

/** The id of the conversation that the address names. */
export function useAddress(): string | null {
  return useSyncExternalStore(watch, read, () => null);
}

/** Gives the shown conversation its address without leaving it. */
export function renameAddress(conversationId: string): void {
  history.replaceState(null, '', addressOf(conversationId));
  // replaceState tells nobody by itself.
  globalThis.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** Takes a token out of the address, where it would stay in the history. */
export function takeSignInToken(): string | null {
  const [, token] = SIGN_IN.exec(location.hash) ?? [];
  if (token === undefined) return null;
  history.replaceState(null, '', addressOf(null));
  return decoded(token);
}

function watch(changed: () => void): () => void {
  globalThis.addEventListener('hashchange', changed);
  return () => globalThis.removeEventListener('hashchange', changed);
}

function read(): string | null {
  const [, id] = CONVERSATION.exec(location.hash) ?? [];
  return id === undefined ? null : decoded(id);
}

/** An address may come from anywhere: what is not encoded rightly names nothing. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
