/** What a run is asked with: the host's settings and the reader's choices, as the server takes them. */
import { type ClientTools, toolForms } from './tools.js';
import type { SendRequest } from './types.js';

/** What every run of a chat is asked with. */
export type ChatSettings = {
  readonly [Name in 'systemPrompt' | 'provider' | 'model' | 'temperature' | 'maxTokens']?:
    | SendRequest[Name]
    | undefined;
} & {
  /** Tools of the page's own. */
  readonly tools?: ClientTools | undefined;
  /**
   * The names of the server's tools that the model may use. Where neither these nor `tools` are given, it may use
   * those that the server always offers.
   */
  readonly serverTools?: readonly string[] | undefined;
};

/** What is asked, apart from how. */
export type Asked = Pick<
  SendRequest,
  'conversationId' | 'clientMessageId' | 'content' | 'attachments' | 'regenerate' | 'parentId'
>;

export function requestOf(asked: Asked, settings: ChatSettings, choice: string | null): SendRequest {
  const { tools, serverTools, temperature, maxTokens } = settings;
  const offered = tools || serverTools ? [...(serverTools ?? []), ...toolForms(tools ?? {})] : undefined;
  return {
    ...asked,
    ...lasting(settings, choice),
    ...defined({ temperature, maxTokens, tools: offered }),
  };
}

/** What a conversation remembers of the settings. A model that was chosen beats the host's. */
export function lasting(
  { systemPrompt, provider, model }: ChatSettings,
  choice: string | null,
): Pick<SendRequest, 'systemPrompt' | 'provider' | 'model'> {
  return defined(choice === null ? { systemPrompt, provider, model } : { systemPrompt, model: choice });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An option that is not given is left out of the request, so that the server's default holds. */
export function defined<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>;
}
