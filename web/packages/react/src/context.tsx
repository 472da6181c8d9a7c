/** Gives the components below it the server that they talk to and the language that they speak. */
import { Client, type ClientOptions } from '@prosa/core';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { type Texts, textsFor } from './texts.js';

interface Prosa {
  readonly client: Client;
  readonly language: string;
  readonly texts: Texts;
}

export interface ProsaProviderProps {
  /** Where the server is; without a client, one is made for the page's own origin. */
  readonly client?: Client;
  readonly language?: string;
  readonly children: ReactNode;
}

const Context = createContext<Prosa | null>(null);

/** Made when first needed, so that a page can be rendered on a server, where there is no origin. */
let byDefault: Prosa | undefined;

export function ProsaProvider({ client, language = browserLanguage(), children }: ProsaProviderProps) {
  const prosa = useMemo(() => newProsa(language, client), [client, language]);
  return <Context.Provider value={prosa}>{children}</Context.Provider>;
}

export function useProsa(): Prosa {
  const given = useContext(Context);
  if (given) return given;
  byDefault ??= newProsa(browserLanguage());
  return byDefault;
}

export function useTexts(): Texts {
  return useProsa().texts;
}

export function browserLanguage(): string {
  return globalThis.navigator?.language ?? 'en';
}

function newProsa(language: string, client?: Client): Prosa {
  const options: ClientOptions = { language };
  return { client: client ?? new Client(options), language, texts: textsFor(language) };
}
