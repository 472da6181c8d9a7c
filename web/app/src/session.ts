/** Who is here, and in which language they are spoken to. */
import { browserLanguage, ChatError, Client, type Session } from '@prosa/react';

export type Entrance =
  | { readonly is: 'in'; readonly session: Session; readonly language: string }
  | { readonly is: 'out'; readonly language: string; readonly refusal: string | null }
  | { readonly is: 'away'; readonly language: string; readonly error: Error };

/** Signs in with a token where one is given, then asks the server whom it sees. */
export async function enter(base: URL, token: string | null): Promise<Entrance> {
  const language = browserLanguage();
  const client = new Client({ baseUrl: base, language });
  let refusal: string | null = null;
  try {
    if (token !== null) refusal = await signIn(client, token);
    const session = await client.session();
    return { is: 'in', session, language: preferred(language, session.language) };
  } catch (error) {
    const isOut = error instanceof ChatError && error.status === 401;
    return isOut ? { is: 'out', language, refusal } : { is: 'away', language, error: error as Error };
  }
}

async function signIn(client: Client, token: string): Promise<string | null> {
  try {
    await client.signIn(token);
    return null;
  } catch (error) {
    if (error instanceof ChatError && error.status > 0 && error.status < 500) return error.message;
    throw error;
  }
}

/** The browser's language where the page speaks it, else the server's. */
function preferred(browser: string, server: string): string {
  return /^(?:en|pt)\b/i.test(browser) ? browser : server;
}
