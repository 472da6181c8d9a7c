/** The address of the page: what is shown, at which message, and a sign-in token in passing. */
import { useMemo, useSyncExternalStore } from 'react';

/** A conversation, perhaps at one of its messages; the tickets, perhaps one of them; or the operator's view. */
export type Place =
  | { readonly view: 'chat'; readonly conversationId: string | null; readonly messageId: string | null }
  | { readonly view: 'tickets'; readonly ticketId: string | null }
  | { readonly view: 'operator'; readonly section: string | null; readonly id: string | null };

const CONVERSATION = /^#\/c\/([^/]+)(?:\/m\/([^/]+))?$/;
const TICKET = /^#\/tickets(?:\/([^/]+))?$/;
const OPERATOR = /^#\/operator(?:\/([^/]+)(?:\/([^/]+))?)?$/;
const SIGN_IN = /^#sign-in=(.+)$/;

export function addressOf(conversationId: string | null, messageId?: string): string {
  if (conversationId === null) return '#/';
  const conversation = `#/c/${encodeURIComponent(conversationId)}`;
  return messageId === undefined ? conversation : `${conversation}/m/${encodeURIComponent(messageId)}`;
}

export function addressOfTickets(ticketId?: string): string {
  return ticketId === undefined ? '#/tickets' : `#/tickets/${encodeURIComponent(ticketId)}`;
}

export function addressOfOperator(section?: string, id?: string): string {
  const parts = ['#/operator', section, id].filter(part => part !== undefined);
  return parts.map((part, index) => (index === 0 ? part : encodeURIComponent(part))).join('/');
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(
    watch,
    () => location.hash,
    () => '',
  );
  return useMemo(() => placeOf(hash), [hash]);
}

export function placeOf(hash: string): Place {
  const ticket = TICKET.exec(hash);
  if (ticket) return { view: 'tickets', ticketId: decoded(ticket[1]) };
  const operator = OPERATOR.exec(hash);
  if (operator) return { view: 'operator', section: decoded(operator[1]), id: decoded(operator[2]) };
  const [, conversation, message] = CONVERSATION.exec(hash) ?? [];
  return { view: 'chat', conversationId: decoded(conversation), messageId: decoded(message) };
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

/** An address may come from anywhere: what is not encoded rightly names nothing. */
function decoded(part: string | undefined): string | null {
  if (part === undefined) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
