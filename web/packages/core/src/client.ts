/** The JSON API as typed calls: each returns what the server answered or throws a ChatError. */
import { ChatError, refusal, unreachable } from './errors.js';
import type { StoredFile } from './files.js';
import type { ConversationQuery, SearchHit, SearchQuery } from './search.js';
import type { NewTemplate, Template, TemplateChange, TemplateValues } from './templates.js';
import type { TicketForm, TicketInFull, TicketQuery } from './tickets.js';
import type {
  Conversation,
  ConversationChange,
  Feedback,
  Message,
  Model,
  NewConversation,
  Page,
  Run,
  SendRequest,
  Session,
  StoredFeedback,
  ToolOutput,
} from './types.js';
import type { Estimate, EstimateRequest, Usage, UsageQuery } from './usage.js';

export interface ClientOptions {
  /** Where the server is served, with a trailing slash; the page's own origin by default. */
  readonly baseUrl?: string | URL | undefined;
  /** A bearer token, or how to get one; without it the browser's cookie speaks. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** The language of messages to people, such as `pt`. */
  readonly language?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** The sockets that are used; null for none. With a `fetch` of its own a client has none unless they are given. */
  readonly sockets?: typeof WebSocket | null | undefined;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a route is called; `query` leaves out what is undefined. */
export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: object | undefined;
  readonly body?: unknown;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

export class Client {
  readonly #options: ClientOptions;
  readonly #base: URL;
  readonly #watchers = new Set<() => void>();

  constructor(options: ClientOptions = {}) {
    this.#options = options;
    this.#base = new URL(options.baseUrl ?? '/', globalThis.location?.href);
  }

  session(): Promise<Session> {
    return this.#json('api/session');
  }

  async signIn(token: string): Promise<void> {
    await this.#call('api/session', { method: 'POST', body: { token } });
  }

  async signOut(): Promise<void> {
    await this.#call('api/session', { method: 'DELETE' });
  }

  /** A page of the caller's conversations, the latest change first. */
  listConversations(query: ConversationQuery = {}, signal?: AbortSignal): Promise<Page<Conversation>> {
    return this.#json('api/conversations', { query, signal });
  }

  /** A page of the messages that have all of the words, wherever they stand in their conversations. */
  search(query: SearchQuery, signal?: AbortSignal): Promise<Page<SearchHit>> {
    return this.#json('api/search', { query, signal });
  }

  /** Creates a conversation; with an `externalId` that exists it returns that one. */
  createConversation(body: NewConversation = {}): Promise<Conversation> {
    return this.#json('api/conversations', { method: 'POST', body });
  }

  getConversation(id: string, signal?: AbortSignal): Promise<Conversation> {
    return this.#json(conversationPath(id), { signal });
  }

  updateConversation(id: string, body: ConversationChange): Promise<Conversation> {
    return this.#json(conversationPath(id), { method: 'PATCH', body });
  }

  async deleteConversation(id: string): Promise<void> {
    await this.#call(conversationPath(id), { method: 'DELETE' });
  }

  /** A page of the shown branch. */
  listMessages(
    conversationId: string,
    query: { order?: 'asc' | 'desc'; limit?: number; cursor?: string; head?: string } = {},
    signal?: AbortSignal,
  ): Promise<Page<Message>> {
    return this.#json(`${conversationPath(conversationId)}/messages`, { query, signal });
  }

  getMessage(conversationId: string, id: string, signal?: AbortSignal): Promise<Message> {
    return this.#json(messagePath(conversationId, id), { signal });
  }

  /**
   * Deletes a message and everything that was said after it. With `subtree: false` a message that has replies is
   * refused: a 409 with `message_has_replies`.
   */
  async deleteMessage(
    conversationId: string,
    id: string,
    { subtree = true }: { readonly subtree?: boolean } = {},
  ): Promise<void> {
    const query = subtree ? {} : { subtree: 'false' };
    await this.#call(messagePath(conversationId, id), { method: 'DELETE', query });
  }

  /** Deletes every message; what is being written is stopped. The conversation itself stays. */
  async clearMessages(conversationId: string): Promise<void> {
    await this.#call(`${conversationPath(conversationId)}/messages`, { method: 'DELETE' });
  }

  /** Keeps what the caller thinks of an answer, in place of what was kept before. */
  giveFeedback(conversationId: string, messageId: string, feedback: Feedback): Promise<StoredFeedback> {
    const path = `${messagePath(conversationId, messageId)}/feedback`;
    return this.#json(path, { method: 'PUT', body: feedback });
  }

  async takeFeedback(conversationId: string, messageId: string): Promise<void> {
    await this.#call(`${messagePath(conversationId, messageId)}/feedback`, { method: 'DELETE' });
  }

  /** What happens in a conversation, as a stream of server-sent events. */
  feed(conversationId: string, signal?: AbortSignal): Promise<Response> {
    const path = `${conversationPath(conversationId)}/events`;
    return this.#call(path, { accept: 'text/event-stream', signal });
  }

  getRun(id: string): Promise<Run> {
    return this.#json(runPath(id));
  }

  stopRun(id: string): Promise<Run> {
    return this.#json(`${runPath(id)}/stop`, { method: 'POST' });
  }

  /** Brings what the caller's own tools gave. A 409 with `run_not_waiting` says that it is not wanted any more. */
  bringOutputs(runId: string, outputs: readonly ToolOutput[]): Promise<Run> {
    return this.#json(`${runPath(runId)}/tool-outputs`, { method: 'POST', body: { outputs } });
  }

  /** Allows or denies a call; the first decision counts, later ones get a 409 with `run_not_waiting`. */
  decide(runId: string, callId: string, approve: boolean): Promise<Run> {
    return this.#json(`${runPath(runId)}/approvals`, { method: 'POST', body: { id: callId, approve } });
  }

  /** What the caller has used in a time, and what is left now. */
  getUsage(query: UsageQuery = {}, signal?: AbortSignal): Promise<Usage> {
    return this.#json('api/usage', { query, signal });
  }

  /** What a message would take. Nothing is sent, and nothing is held. */
  estimate(body: EstimateRequest, signal?: AbortSignal): Promise<Estimate> {
    return this.#json('api/usage/estimate', { method: 'POST', body, signal });
  }

  /** Tells `watcher` of each answer that comes to its end here, until what it returns is called. */
  watchEnds(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Whoever reads an answer to its end says so. */
  ended(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** The models that can be asked for. */
  listModels(signal?: AbortSignal): Promise<Page<Model>> {
    return this.#json('api/models', { signal });
  }

  /** A page of the tickets, the latest change first. */
  listTickets(query: TicketQuery = {}, signal?: AbortSignal): Promise<Page<TicketForm>> {
    return this.#json('api/tickets', { query, signal });
  }

  getTicket(id: string, signal?: AbortSignal): Promise<TicketInFull> {
    return this.#json(ticketPath(id), { signal });
  }

  /** Forgets a ticket's answer: whoever opens it next gets a new one. */
  async forgetAnswer(ticketId: string): Promise<void> {
    await this.#call(`${ticketPath(ticketId)}/answer`, { method: 'DELETE' });
  }

  getFile(id: string): Promise<StoredFile> {
    return this.#json(filePath(id));
  }

  async deleteFile(id: string): Promise<void> {
    await this.#call(filePath(id), { method: 'DELETE' });
  }

  /** The content of a file, which only its owner gets. */
  async readFile(id: string, signal?: AbortSignal): Promise<Blob> {
    const response = await this.#call(`${filePath(id)}/content`, { accept: '*/*', signal });
    return response.blob();
  }

  /** Where the browser itself can get a file's content; null where only a token opens it, and `readFile` must. */
  fileAddress(id: string): string | null {
    return this.#options.token === undefined && !this.#options.fetch
      ? this.#url(`${filePath(id)}/content`)
      : null;
  }

  /** The templates of the caller, and those that are shared with them. */
  listTemplates(signal?: AbortSignal): Promise<Page<Template>> {
    return this.#json('api/templates', { query: { limit: 200 }, signal });
  }

  createTemplate(body: NewTemplate): Promise<Template> {
    return this.#json('api/templates', { method: 'POST', body });
  }

  updateTemplate(id: string, body: TemplateChange): Promise<Template> {
    return this.#json(templatePath(id), { method: 'PATCH', body });
  }

  async deleteTemplate(id: string): Promise<void> {
    await this.#call(templatePath(id), { method: 'DELETE' });
  }

  /** The template's text with the values in their places, as they are. */
  fillTemplate(id: string, values: TemplateValues): Promise<{ readonly text: string }> {
    return this.#json(`${templatePath(id)}/fill`, { method: 'POST', body: { values } });
  }

  /** Starts a run; the answer's body is its event stream. */
  send(request: SendRequest, signal?: AbortSignal): Promise<Response> {
    const body = { ...request, accepts: ['reset'] };
    return this.#call('api/chat/send', { method: 'POST', body, accept: 'text/event-stream', signal });
  }

  /** The events of a run after `seq`; status 204 when there are none and will be none. */
  runEvents(id: string, after: number, signal?: AbortSignal): Promise<Response> {
    const query = { after, accepts: 'reset' };
    return this.#call(`${runPath(id)}/events`, { query, accept: 'text/event-stream', signal });
  }

  /** Any route that has no call of its own here: what it answered as JSON, undefined where it answered nothing. */
  async request<T = undefined>(path: string, call?: Call): Promise<T> {
    const response = await this.#call(path, call);
    return response.status === 204 ? (undefined as T) : this.#read<T>(response);
  }

  /** An answer as it comes; for what is too long to be held, or no JSON. */
  stream(path: string, query?: object, signal?: AbortSignal): Promise<Response> {
    return this.#call(path, { query, accept: '*/*', signal });
  }

  /** Where a request of another kind than `fetch` goes, and what says who asks. */
  async door(path: string, query?: object): Promise<{ readonly url: string; readonly headers: Headers }> {
    return { url: this.#url(path, query), headers: await this.#headers({}) };
  }

  /** Where a socket goes, and the subprotocols that say who asks: a page can set no headers on one. */
  async socket(path: string): Promise<{ readonly url: string; readonly protocols: string[] }> {
    const bearer = await this.#bearer();
    const url = this.#url(path).replace(/^http/, 'ws');
    return { url, protocols: bearer ? ['prosa', `bearer.${bearer}`] : ['prosa'] };
  }

  /** What opens sockets; null where there are none to be had. */
  get sockets(): typeof WebSocket | null {
    const { sockets, fetch } = this.#options;
    if (sockets !== undefined) return sockets;
    return fetch ? null : (globalThis.WebSocket ?? null);
  }

  /** A `fetch` that the host brought; what is not done by `fetch` must be left undone then. */
  get ownFetch(): typeof fetch | undefined {
    return this.#options.fetch;
  }

  async #json<T>(path: string, call?: Call): Promise<T> {
    return this.#read(await this.#call(path, call));
  }

  async #read<T>(response: Response): Promise<T> {
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw unreachable(cause);
    }
  }

  async #call(path: string, call: Call = {}): Promise<Response> {
    const headers = await this.#headers(call);
    const init: RequestInit = { method: call.method ?? 'GET', headers, credentials: 'same-origin' };
    if (call.body !== undefined) init.body = JSON.stringify(call.body);
    if (call.signal) init.signal = call.signal;

    let response: Response;
    try {
      response = await (this.#options.fetch ?? globalThis.fetch)(this.#url(path, call.query), init);
    } catch (cause) {
      if (call.signal?.aborted) throw cause;
      throw unreachable(cause);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async #headers(call: Call): Promise<Headers> {
    const headers = new Headers({ Accept: call.accept ?? 'application/json' });
    if (call.body !== undefined) headers.set('Content-Type', 'application/json');
    if (this.#options.language) headers.set('Accept-Language', this.#options.language);
    const bearer = await this.#bearer();
    if (bearer) headers.set('Authorization', `Bearer ${bearer}`);
    return headers;
  }

  async #bearer(): Promise<string | undefined> {
    const { token } = this.#options;
    return typeof token === 'function' ? await token() : token;
  }

  #url(path: string, query: object = {}): string {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query as Query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url.href;
  }
}

export function asChatError(error: unknown): ChatError {
  return error instanceof ChatError ? error : unreachable(error);
}

function conversationPath(id: string): string {
  return `api/conversations/${encodeURIComponent(id)}`;
}

function messagePath(conversationId: string, id: string): string {
  return `${conversationPath(conversationId)}/messages/${encodeURIComponent(id)}`;
}

function runPath(id: string): string {
  return `api/chat/runs/${encodeURIComponent(id)}`;
}

function ticketPath(id: string): string {
  return `api/tickets/${encodeURIComponent(id)}`;
}

function filePath(id: string): string {
  return `api/files/${encodeURIComponent(id)}`;
}

function templatePath(id: string): string {
  return `api/templates/${encodeURIComponent(id)}`;
}
