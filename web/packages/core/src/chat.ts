/** A conversation as somebody takes part in it: opened, read, answered, stopped, tried again. */
import { asChatError, type Client } from './client.js';
import { Desk } from './desk.js';
import { answerDraft, isDraft, questionDraft } from './draft.js';
import type { ChatError } from './errors.js';
import { isEnd, type RunEvent } from './events.js';
import { isUuid, newId } from './ids.js';
import { callsOf, waitingCalls } from './parts.js';
import type { ConversationState, Failure, ShownMessage } from './state.js';
import { Store } from './store.js';
import { runEvents, type Source, type StreamOptions } from './stream.js';
import { titleFrom } from './title.js';
import { type ClientTools, toolForms } from './tools.js';
import type { Conversation, Message, SendRequest, WantedCall } from './types.js';

/** What every run of this chat is asked with. */
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

export interface ChatOptions {
  readonly client: Client;
  readonly settings?: (() => ChatSettings) | undefined;
  /** The server has stored the user's message. */
  readonly onSent?: ((message: Message) => void) | undefined;
  /** The first message has made a conversation. */
  readonly onCreated?: ((conversation: Conversation) => void) | undefined;
  /** How many messages are fetched at a time. */
  readonly pageSize?: number | undefined;
  readonly wait?: StreamOptions['wait'];
}

/** One stay in one conversation; what was begun in it has no effect after it was left. */
interface Visit {
  readonly controller: AbortController;
  left: boolean;
}

export class Chat {
  readonly #options: ChatOptions;
  readonly #client: Client;
  readonly #store = new Store();
  readonly #desk: Desk;
  readonly #pageSize: number;
  #visit: Visit = newVisit();
  #wanted: string | null = null;
  #unsent: SendRequest | null = null;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#pageSize = options.pageSize ?? 20;
    this.#desk = new Desk({
      client: options.client,
      store: this.#store,
      tools: () => this.#settings().tools ?? {},
      wait: options.wait,
    });
  }

  get state(): ConversationState {
    return this.#store.state;
  }

  readonly watch = (watcher: () => void): (() => void) => this.#store.watch(watcher);

  /** Shows a conversation, by its id or, where that is no UUID, by a name of the caller's own; null begins a new one. */
  async open(id: string | null): Promise<void> {
    if (id !== null && (id === this.#wanted || id === this.state.conversation?.id)) return;
    this.close();
    this.#wanted = id;
    if (id !== null) await this.#load(id, 'opening');
  }

  /** Leaves the conversation. A run goes on in the server, and is met again when the conversation is opened. */
  close(): void {
    const visit = this.#visit;
    visit.left = true;
    // A question still on its way is let through; its stream is hung up once it has begun.
    if (this.state.run?.id !== null) visit.controller.abort();
    this.#visit = newVisit();
    this.#wanted = null;
    this.#unsent = null;
    this.#store.dispatch({ type: 'closed' });
  }

  /** Sends a message at the end of the branch and follows its answer to the end. */
  send(content: string): Promise<void> {
    const stored = this.state.messages.findIndex(isDraft);
    const after = stored === -1 ? this.state.messages.length : stored;
    return this.#ask(content, after);
  }

  /** Asks anew in place of an earlier message: the conversation goes on in another branch. */
  edit(id: string, content: string): Promise<void> {
    const index = this.state.messages.findIndex(message => message.id === id);
    if (index === -1) return this.send(content);
    return this.#ask(content, index, this.state.messages[index]?.parentId ?? null);
  }

  /** Does again what failed; where nothing did, asks for another last answer. */
  async retry(): Promise<void> {
    const { error, run, messages, conversation } = this.state;
    if (error?.at === 'action') return this.#attend();
    if (run) return;
    if (error?.at === 'open' && this.#wanted !== null) return this.#load(this.#wanted, 'opening');
    if (error?.at === 'older') return this.loadOlder();
    const last = messages.at(-1);
    if (!last) return;
    if (this.#unsent) return this.#resend(this.#unsent);
    if (last.role !== 'assistant') return this.edit(last.id, last.content);
    if (!conversation) return;
    const answer = answerDraft(newId(), last.parentId, last);
    this.#store.dispatch({ type: 'sent', after: messages.length - 1, question: null, answer });
    const request = this.#request(conversation.id, answer.id, { regenerate: last.id });
    await this.#follow({ request }, this.#visit);
  }

  /** Stops the run; what was written stays. */
  async stop(): Promise<void> {
    const { run } = this.state;
    if (!run || run.stopping) return;
    this.#store.dispatch({ type: 'stopping', stopping: true });
    // A run whose id is not known yet is stopped as soon as it is.
    if (run.id !== null) await this.#stopRun(run.id);
  }

  /**
   * Deletes every message. The conversation itself stays, since its id (or external id) is what the host
   * holds on to; first messages are siblings of each other, so all of them go, with what follows them.
   */
  async clear(): Promise<void> {
    const { conversation } = this.state;
    const visit = this.#visit;
    if (!conversation) return this.#store.dispatch({ type: 'closed' });
    try {
      await this.stop();
      for (let roots = await this.#roots(conversation.id); roots.length > 0; ) {
        await Promise.all(roots.map(id => this.#client.deleteMessage(conversation.id, id)));
        roots = await this.#roots(conversation.id);
      }
      if (visit.left) return;
      this.#renewVisit();
      this.#store.dispatch({ type: 'opened', conversation, messages: [], older: null });
    } catch (error) {
      this.#fail('change', asChatError(error), visit);
    }
  }

  async loadOlder(): Promise<void> {
    const { conversation, older, loadingOlder } = this.state;
    const visit = this.#visit;
    if (!conversation || older === null || loadingOlder) return;
    this.#store.dispatch({ type: 'loading_older' });
    try {
      const page = await this.#page(conversation.id, older);
      if (!visit.left) this.#store.dispatch({ type: 'older', ...page });
    } catch (error) {
      this.#fail('older', asChatError(error), visit);
    }
  }

  /** Shows the branch that a message stands in. */
  async show(messageId: string): Promise<void> {
    const { conversation, run } = this.state;
    const visit = this.#visit;
    if (!conversation || run) return;
    try {
      await this.#client.updateConversation(conversation.id, { headId: messageId });
    } catch (error) {
      return this.#fail('change', asChatError(error), visit);
    }
    await this.#load(conversation.id, 'refreshing');
  }

  /** Looks whether the conversation went on elsewhere, in another window or through another door. */
  async refresh(): Promise<void> {
    const { conversation, run, error, loading } = this.state;
    if (!conversation || run || error || loading) return;
    const visit = this.#visit;
    const newest = await this.#client
      .listMessages(conversation.id, { order: 'desc', limit: 1 })
      // Nobody asked for this look; if it fails, the next call that somebody did ask for says so.
      .catch(() => null);
    if (!newest || visit.left || this.state.run) return;
    const [there] = newest.items;
    const here = this.state.messages.at(-1);
    if (there?.id !== here?.id || there?.status !== here?.status) {
      await this.#load(conversation.id, 'refreshing');
    }
  }

  /** Allows or denies a call that the run waits to make; the first decision counts, whoever makes it. */
  decide(callId: string, approve: boolean): Promise<void> {
    return this.#desk.decide(callId, approve, this.#visit.controller.signal);
  }

  /** Brings the output of a call that the run waits for. */
  bring(callId: string, output: string): Promise<void> {
    return this.#desk.bring({ id: callId, output }, this.#visit.controller.signal);
  }

  /** Says which model answers from now on in this conversation, by its id. */
  async choose(model: string): Promise<void> {
    const { conversation } = this.state;
    const visit = this.#visit;
    this.#store.dispatch({ type: 'chosen', model });
    if (!conversation) return;
    try {
      const changed = await this.#client.updateConversation(conversation.id, { provider: null, model });
      if (!visit.left) this.#store.dispatch({ type: 'conversation', conversation: changed });
    } catch (error) {
      this.#fail('change', asChatError(error), visit);
    }
  }

  forgive(): void {
    this.#store.dispatch({ type: 'forgiven' });
  }

  /** The composer has taken back the text that was returned to it. */
  takeReturned(): void {
    this.#store.dispatch({ type: 'returned', content: null });
  }

  async #load(id: string, why: 'opening' | 'refreshing'): Promise<void> {
    const visit = this.#visit;
    if (why === 'opening') this.#store.dispatch({ type: 'opening' });
    try {
      const [conversation, page] = await this.#fetch(id, visit.controller.signal);
      if (visit.left) return;
      this.#store.dispatch({ type: 'opened', conversation, ...page });
      const last = page.messages.at(-1);
      if (last?.status === 'in_progress' && last.runId !== null) {
        this.#store.dispatch({ type: 'following', runId: last.runId, messageId: last.id });
        void this.#follow({ runId: last.runId, after: 0 }, visit);
      }
    } catch (error) {
      this.#fail('open', asChatError(error), visit);
    }
  }

  async #fetch(id: string, signal: AbortSignal) {
    if (isUuid(id)) return Promise.all([this.#client.getConversation(id, signal), this.#page(id)]);
    const conversation = await this.#client.createConversation({ externalId: id, ...this.#lasting() });
    return [conversation, await this.#page(conversation.id)] as const;
  }

  async #page(conversationId: string, cursor?: string) {
    const query = { order: 'desc' as const, limit: this.#pageSize, ...(cursor ? { cursor } : {}) };
    const { items, nextCursor } = await this.#client.listMessages(conversationId, query);
    return { messages: items.toReversed(), older: nextCursor };
  }

  async #roots(conversationId: string): Promise<readonly string[]> {
    const { items } = await this.#client.listMessages(conversationId, { order: 'asc', limit: 1 });
    const [root] = items;
    if (!root) return [];
    return root.siblings.length > 0 ? root.siblings : [root.id];
  }

  /** With a `parentId`, null included, the question begins a branch there; without, it continues the head. */
  async #ask(content: string, after: number, parentId?: string | null): Promise<void> {
    if (this.state.run || this.state.loading || content.trim() === '') return;
    const visit = this.#visit;
    const clientMessageId = newId();
    const before = this.state.messages[after - 1]?.id ?? null;
    const instead = parentId === undefined ? undefined : this.state.messages[after];
    const parent = parentId === undefined ? before : parentId;
    const question = questionDraft(clientMessageId, content, parent, instead);
    const answer = answerDraft(newId(), question.id);
    this.#store.dispatch({ type: 'sent', after, question, answer });
    const place = parentId === undefined ? {} : { parentId };
    const request = this.#request('', clientMessageId, { content, ...place });
    await this.#start(request, visit);
  }

  async #resend(request: SendRequest): Promise<void> {
    const after = this.state.messages.findIndex(isDraft);
    const question = this.state.messages[after];
    if (!question) return;
    const answer = answerDraft(newId(), question.id);
    this.#store.dispatch({ type: 'sent', after, question, answer });
    await this.#start(request, this.#visit);
  }

  async #start(request: SendRequest, visit: Visit): Promise<void> {
    this.#unsent = request;
    try {
      const conversation = this.state.conversation ?? (await this.#create(request.content ?? '', visit));
      await this.#follow({ request: { ...request, conversationId: conversation.id } }, visit);
    } catch (error) {
      this.#fail('send', asChatError(error), visit);
    }
  }

  async #create(content: string, visit: Visit): Promise<Conversation> {
    const title = titleFrom(content);
    const conversation = await this.#client.createConversation({ title, ...this.#lasting() });
    if (!visit.left) {
      this.#wanted = conversation.id;
      this.#store.dispatch({ type: 'conversation', conversation });
      this.#options.onCreated?.(conversation);
    }
    return conversation;
  }

  /** Reads a run's events until it ends or the visit does. */
  async #follow(source: Source, visit: Visit): Promise<void> {
    const { signal } = visit.controller;
    const onConnection = (lost: boolean) => {
      if (!visit.left) this.#store.dispatch({ type: 'connection', lost });
    };
    const { wait } = this.#options;
    let ended = false;
    try {
      for await (const event of runEvents(this.#client, source, {
        signal,
        onConnection,
        ...defined({ wait }),
      })) {
        if (visit.left) return visit.controller.abort();
        await this.#take(event);
        ended = isEnd(event);
      }
      if (!(ended || visit.left)) await this.#settle();
    } catch (error) {
      await this.#recover(asChatError(error), source, visit);
    }
  }

  async #take(event: RunEvent): Promise<void> {
    const stopping = this.state.run?.stopping ?? false;
    this.#store.dispatch({ type: 'event', event, at: Date.now() });
    if (event.type === 'start') {
      this.#unsent = null;
      const question = this.state.messages.findLast(message => message.id === event.userMessageId);
      if (question?.localId !== undefined) this.#options.onSent?.(question);
      if (stopping) await this.#stopRun(event.runId);
    } else if (event.type === 'gap') {
      await this.#settle();
    } else if (event.type === 'requires_action') {
      // The stream goes on meanwhile: it tells what others bring.
      void this.#attend(event.calls);
    } else if (event.type === 'done') {
      await this.#complete(event.messageId);
    }
  }

  async #attend(calls?: readonly WantedCall[]): Promise<void> {
    const { run } = this.state;
    if (!run || run.id === null) return;
    this.forgive();
    const wanted = calls ?? waitingCalls(run.parts).map(call => ({ ...call, needs: call.needs ?? 'output' }));
    await this.#desk.attend(run.id, wanted, this.#visit.controller.signal);
  }

  /** Results that were too long for the stream are in the message. */
  async #complete(messageId: string): Promise<void> {
    const { conversation, messages } = this.state;
    const told = messages.findLast(({ id }) => id === messageId)?.told ?? [];
    if (!(conversation && callsOf(told).some(call => call.truncated))) return;
    const message = await this.#client.getMessage(conversation.id, messageId).catch(() => null);
    // Where it can't be fetched, the beginnings of the results stay.
    if (message) this.#store.dispatch({ type: 'message', message });
  }

  /** The stream has no more to tell, or lost a part: the stored message has all there is. */
  async #settle(): Promise<void> {
    const { conversation, run } = this.state;
    if (!(conversation && run)) return;
    const message = await this.#client.getMessage(conversation.id, run.messageId);
    this.#store.dispatch({ type: 'message', message });
    if (message.status !== 'in_progress') this.#store.dispatch({ type: 'settled' });
  }

  async #recover(error: ChatError, source: Source, visit: Visit): Promise<void> {
    if (visit.left) return;
    const { conversation, run } = this.state;
    const started = run !== null && run.id !== null;
    if (error.code === 'run_in_progress' && conversation && 'request' in source) {
      // Another window asked first: its answer is shown, and the question here waits in the composer.
      this.#unsent = null;
      await this.#load(conversation.id, 'refreshing');
      const content = source.request.content ?? null;
      return this.#store.dispatch({ type: 'returned', content });
    }
    if (started && error.status === 404 && conversation) return this.#load(conversation.id, 'refreshing');
    this.#fail(started ? 'run' : 'send', error, visit);
  }

  async #stopRun(id: string): Promise<void> {
    const visit = this.#visit;
    try {
      await this.#client.stopRun(id);
    } catch (cause) {
      const error = asChatError(cause);
      // A run that has ended meanwhile needs no stop, and its stream says so itself.
      if (error.status === 404 || error.status === 409 || visit.left) return;
      this.#store.dispatch({ type: 'stopping', stopping: false });
      this.#fail('stop', error, visit);
    }
  }

  #fail(at: Failure['at'], error: ChatError, visit: Visit): void {
    if (visit.left) return;
    const { code, message, passing } = error;
    this.#store.dispatch({ type: 'failed', failure: { code, message, retryable: passing, at } });
  }

  #settings(): ChatSettings {
    return this.#options.settings?.() ?? {};
  }

  #request(
    conversationId: string,
    clientMessageId: string,
    asked: Pick<SendRequest, 'content' | 'regenerate' | 'parentId'>,
  ): SendRequest {
    const { tools, serverTools, temperature, maxTokens } = this.#settings();
    const offered = tools || serverTools ? [...(serverTools ?? []), ...toolForms(tools ?? {})] : undefined;
    const settings = defined({ temperature, maxTokens, tools: offered });
    return { conversationId, clientMessageId, ...asked, ...this.#lasting(), ...settings };
  }

  /** What a conversation remembers of the settings. A model that was chosen beats the host's. */
  #lasting(): Pick<SendRequest, 'systemPrompt' | 'provider' | 'model'> {
    const { systemPrompt, provider, model } = this.#settings();
    const { choice } = this.state;
    return defined(choice === null ? { systemPrompt, provider, model } : { systemPrompt, model: choice });
  }

  #renewVisit(): void {
    this.#visit.left = true;
    this.#visit.controller.abort();
    this.#visit = newVisit();
  }
}

export type { ShownMessage };

function newVisit(): Visit {
  return { controller: new AbortController(), left: false };
}

/** An option that is not given is left out of the request, so that the server's default holds. */
function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
