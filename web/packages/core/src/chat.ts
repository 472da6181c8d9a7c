/** A conversation as somebody takes part in it: opened, read, answered, stopped, tried again. */
import { type Asked, type ChatSettings, lasting, requestOf } from './asking.js';
import { asChatError, type Client } from './client.js';
import { Desk } from './desk.js';
import { answerDraft, isDraft, questionDraft } from './draft.js';
import { Elsewhere } from './elsewhere.js';
import type { ChatError } from './errors.js';
import type { StartEvent } from './events.js';
import type { Attachment } from './files.js';
import { attachmentsOf } from './files.js';
import { History } from './history.js';
import { isUuid, newId } from './ids.js';
import { Live } from './live.js';
import { waitingCalls } from './parts.js';
import { Reader } from './reader.js';
import type { ConversationState, Failure } from './state.js';
import { leave, newStay, type Stay } from './stay.js';
import { Store } from './store.js';
import type { Source, StreamOptions } from './stream.js';
import type { Conversation, Feedback, Message, SendRequest, WantedCall } from './types.js';

export interface ChatOptions {
  readonly client: Client;
  readonly settings?: (() => ChatSettings) | undefined;
  /** The server has stored the user's message. */
  readonly onSent?: ((message: Message) => void) | undefined;
  /** The first message has made a conversation. */
  readonly onCreated?: ((conversation: Conversation) => void) | undefined;
  /** The conversation was changed, here or elsewhere: its title, its head, what else it has. */
  readonly onChanged?: ((conversation: Conversation) => void) | undefined;
  /** How many messages are fetched at a time. */
  readonly pageSize?: number | undefined;
  readonly wait?: StreamOptions['wait'];
}

const PAGE = 20;
const NO_FILES: readonly Attachment[] = [];

export class Chat {
  readonly #options: ChatOptions;
  readonly #client: Client;
  readonly #store = new Store();
  readonly #desk: Desk;
  readonly #history: History;
  readonly #reader: Reader;
  readonly #elsewhere: Elsewhere;
  #stay: Stay = newStay();
  #wanted: string | null = null;
  #unsent: SendRequest | null = null;

  constructor(options: ChatOptions) {
    const { client, wait } = options;
    this.#options = options;
    this.#client = client;
    this.#history = new History(client, options.pageSize ?? PAGE);
    const store = this.#store;
    this.#desk = new Desk({ client, store, tools: () => this.#settings().tools ?? {}, wait });
    this.#reader = new Reader({
      client,
      store,
      wait,
      onStart: (event, isStopping) => this.#started(event, isStopping),
      onRequired: calls => void this.#attend(calls),
    });
    this.#elsewhere = new Elsewhere({
      store,
      load: (id, limit) => this.#load(id, 'refreshing', { limit }),
      // What could not be sent is shown on, until it is sent or taken back.
      isHeld: () => this.#unsent !== null,
      onChanged: conversation => options.onChanged?.(conversation),
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
    // A question still on its way is let through; its stream is hung up once it has begun.
    leave(this.#stay, this.state.run?.id === null);
    this.#stay = newStay();
    this.#wanted = null;
    this.#unsent = null;
    this.#elsewhere.forget();
    this.#store.dispatch({ type: 'closed' });
  }

  /** Sends a message at the end of the branch and follows its answer to the end. */
  send(content: string, attachments = NO_FILES): Promise<void> {
    const stored = this.state.messages.findIndex(isDraft);
    const after = stored === -1 ? this.state.messages.length : stored;
    return this.#ask({ content, attachments, after });
  }

  /** Asks anew in place of an earlier message: the conversation goes on in another branch. */
  edit(id: string, content: string, attachments = NO_FILES): Promise<void> {
    const index = this.state.messages.findIndex(message => message.id === id);
    if (index === -1) return this.send(content, attachments);
    const parentId = this.state.messages[index]?.parentId ?? null;
    return this.#ask({ content, attachments, after: index, parentId });
  }

  /** Asks for another answer in place of one, or of the last; what followed stays in its own branch. */
  async regenerate(id?: string): Promise<void> {
    const { messages, conversation, run } = this.state;
    const index = id === undefined ? messages.length - 1 : messages.findIndex(message => message.id === id);
    const old = messages[index];
    if (!(conversation && old) || run || old.role !== 'assistant') return;
    const answer = answerDraft(newId(), old.parentId, old);
    this.#store.dispatch({ type: 'sent', after: index, question: null, answer });
    const request = this.#request({
      conversationId: conversation.id,
      clientMessageId: answer.id,
      regenerate: old.id,
    });
    await this.#follow({ request }, this.#stay);
  }

  /** Does again what failed; where nothing did, asks for another last answer. */
  async retry(): Promise<void> {
    const { error, run, messages } = this.state;
    if (error?.at === 'action') return this.#attend();
    if (run) return;
    if (error?.at === 'open' && this.#wanted !== null) return this.#load(this.#wanted, 'opening');
    if (error?.at === 'older') return this.loadOlder();
    if (this.#unsent) return this.#resend(this.#unsent);
    const last = messages.at(-1);
    if (last?.role === 'user') return this.edit(last.id, last.content, attachmentsOf(last));
    if (last) await this.regenerate();
  }

  /** Takes back a question that was refused: it belongs in the composer again. */
  takeBack(): void {
    const question = this.state.messages.find(message => isDraft(message) && message.role === 'user');
    if (!question || this.state.run) return;
    this.#unsent = null;
    const { content } = question;
    this.#store.dispatch({ type: 'returned', returned: { content, attachments: attachmentsOf(question) } });
    this.#store.dispatch({ type: 'undrafted' });
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
   * holds on to.
   */
  async clear(): Promise<void> {
    const { conversation } = this.state;
    const stay = this.#stay;
    if (!conversation) return this.#store.dispatch({ type: 'closed' });
    try {
      await this.stop();
      await this.#client.clearMessages(conversation.id);
      if (stay.left) return;
      leave(stay);
      this.#stay = newStay();
      this.#unsent = null;
      this.forgive();
      this.#store.dispatch({ type: 'opened', conversation, messages: [], older: null });
      this.#listen(conversation.id);
    } catch (error) {
      this.#fail('change', asChatError(error), stay);
    }
  }

  /** Deletes a message and all that follows it; another branch is shown then, where there is one. */
  async remove(id: string): Promise<void> {
    const { conversation, run } = this.state;
    const stay = this.#stay;
    if (!conversation || run) return;
    try {
      await this.#client.deleteMessage(conversation.id, id);
    } catch (error) {
      return this.#fail('change', asChatError(error), stay);
    }
    await this.#load(conversation.id, 'refreshing');
  }

  async loadOlder(): Promise<void> {
    const { conversation, older, loadingOlder } = this.state;
    const stay = this.#stay;
    if (!conversation || older === null || loadingOlder) return;
    this.#store.dispatch({ type: 'loading_older' });
    try {
      const page = await this.#history.page(conversation.id, older);
      if (!stay.left) this.#store.dispatch({ type: 'older', ...page });
    } catch (error) {
      this.#fail('older', asChatError(error), stay);
    }
  }

  /** Shows the branch that a message stands in. */
  async show(messageId: string): Promise<void> {
    const { conversation, run } = this.state;
    const stay = this.#stay;
    if (!conversation || run) return;
    this.forgive();
    try {
      await this.#client.updateConversation(conversation.id, { headId: messageId });
    } catch (error) {
      return this.#fail('change', asChatError(error), stay);
    }
    await this.#load(conversation.id, 'refreshing');
  }

  /** Looks whether the conversation went on elsewhere, in another window or through another door. */
  async refresh(): Promise<void> {
    const { conversation, run, error, loading } = this.state;
    // A live line has told everything already.
    if (!conversation || run || error || loading || this.#stay.live?.link === 'live') return;
    const stay = this.#stay;
    const newest = await this.#client
      .listMessages(conversation.id, { order: 'desc', limit: 1 })
      // Nobody asked for this look; if it fails, the next call that somebody did ask for says so.
      .catch(() => null);
    if (!newest || stay.left || this.state.run) return;
    const [there] = newest.items;
    const here = this.state.messages.at(-1);
    if (there?.id !== here?.id || there?.status !== here?.status) {
      await this.#load(conversation.id, 'refreshing');
    }
  }

  /** Keeps what the reader thinks of an answer; null takes it back. It is shown at once. */
  async rate(id: string, feedback: Feedback | null): Promise<void> {
    const { conversation, messages } = this.state;
    const before = messages.find(message => message.id === id)?.feedback ?? null;
    const stay = this.#stay;
    if (!conversation) return;
    this.#store.dispatch({ type: 'rated', messageId: id, feedback });
    try {
      if (feedback) await this.#client.giveFeedback(conversation.id, id, feedback);
      else if (before) await this.#client.takeFeedback(conversation.id, id);
    } catch (error) {
      if (!stay.left) this.#store.dispatch({ type: 'rated', messageId: id, feedback: before });
      this.#fail('change', asChatError(error), stay);
    }
  }

  /** Allows or denies a call that the run waits to make; the first decision counts, whoever makes it. */
  decide(callId: string, approve: boolean): Promise<void> {
    return this.#desk.decide(callId, approve, this.#stay.controller.signal);
  }

  /** Brings the output of a call that the run waits for. */
  bring(callId: string, output: string): Promise<void> {
    return this.#desk.bring({ id: callId, output }, this.#stay.controller.signal);
  }

  /** Says which model answers from now on in this conversation, by its id. */
  async choose(model: string): Promise<void> {
    const { conversation } = this.state;
    const stay = this.#stay;
    this.#store.dispatch({ type: 'chosen', model });
    if (!conversation) return;
    try {
      const changed = await this.#client.updateConversation(conversation.id, { provider: null, model });
      if (!stay.left) this.#store.dispatch({ type: 'conversation', conversation: changed });
    } catch (error) {
      this.#fail('change', asChatError(error), stay);
    }
  }

  forgive(): void {
    this.#store.dispatch({ type: 'forgiven' });
  }

  /** The composer has taken back what was returned to it. */
  takeReturned(): void {
    this.#store.dispatch({ type: 'returned', returned: null });
  }

  /** `limit`: fetched anew at least. `gone`: a run that there is nothing more to hear of. */
  async #load(
    id: string,
    why: 'opening' | 'refreshing',
    { limit, gone }: { readonly limit?: number | undefined; readonly gone?: string } = {},
  ): Promise<void> {
    const stay = this.#stay;
    if (why === 'opening') this.#store.dispatch({ type: 'opening' });
    try {
      const [conversation, stretch] = await this.#fetch(id, stay.controller.signal, limit);
      if (stay.left) return;
      this.#store.dispatch({ type: 'opened', conversation, ...stretch });
      this.#listen(conversation.id);
      const last = stretch.messages.at(-1);
      if (last?.status === 'in_progress' && last.runId !== null && last.runId !== gone) {
        this.#store.dispatch({ type: 'following', runId: last.runId, messageId: last.id });
        void this.#follow({ runId: last.runId, after: 0 }, stay);
      }
    } catch (error) {
      this.#fail('open', asChatError(error), stay);
    }
  }

  async #fetch(id: string, signal: AbortSignal, limit?: number) {
    const { messages, older } = this.state;
    const anew = (found: string) => this.#history.anew(found, { messages, older }, limit);
    if (isUuid(id)) return Promise.all([this.#client.getConversation(id, signal), anew(id)]);
    const conversation = await this.#client.createConversation({ externalId: id, ...this.#lasting() });
    return [conversation, await anew(conversation.id)] as const;
  }

  /** Hears what happens in the conversation elsewhere, as long as the stay lasts. */
  #listen(conversationId: string): void {
    const stay = this.#stay;
    if (stay.live) return;
    stay.live = new Live({
      client: this.#client,
      conversationId,
      wait: this.#options.wait,
      onEvent: event => {
        if (!stay.left) this.#elsewhere.hear(event);
      },
      onLink: link => {
        if (!stay.left) this.#store.dispatch({ type: 'link', link });
      },
    });
    stay.live.open();
  }

  /** With a `parentId`, null included, the question begins a branch there; without, it continues the head. */
  async #ask(asked: {
    readonly content: string;
    readonly attachments: readonly Attachment[];
    readonly after: number;
    readonly parentId?: string | null;
  }): Promise<void> {
    const { content, attachments, after, parentId } = asked;
    const isEmpty = content.trim() === '' && attachments.length === 0;
    if (this.state.run || this.state.loading || isEmpty) return;
    const stay = this.#stay;
    const clientMessageId = newId();
    const before = this.state.messages[after - 1]?.id ?? null;
    const instead = parentId === undefined ? undefined : this.state.messages[after];
    const parent = parentId === undefined ? before : parentId;
    const question = questionDraft({ id: clientMessageId, content, attachments, parentId: parent }, instead);
    const answer = answerDraft(newId(), question.id);
    this.#store.dispatch({ type: 'sent', after, question, answer });
    const request = this.#request({
      conversationId: '',
      clientMessageId,
      ...(content === '' ? {} : { content }),
      ...(attachments.length > 0 ? { attachments: attachments.map(({ id }) => id) } : {}),
      ...(parentId === undefined ? {} : { parentId }),
    });
    await this.#start(request, stay);
  }

  async #resend(request: SendRequest): Promise<void> {
    const after = this.state.messages.findIndex(isDraft);
    const question = this.state.messages[after];
    if (!question) return;
    const answer = answerDraft(newId(), question.id);
    this.#store.dispatch({ type: 'sent', after, question, answer });
    await this.#start(request, this.#stay);
  }

  async #start(request: SendRequest, stay: Stay): Promise<void> {
    this.#unsent = request;
    try {
      const conversation = this.state.conversation ?? (await this.#create(stay));
      await this.#follow({ request: { ...request, conversationId: conversation.id } }, stay);
    } catch (error) {
      this.#fail('send', asChatError(error), stay);
    }
  }

  /** Without a title: the server makes one of what is said. */
  async #create(stay: Stay): Promise<Conversation> {
    const conversation = await this.#client.createConversation(this.#lasting());
    if (!stay.left) {
      this.#wanted = conversation.id;
      this.#store.dispatch({ type: 'conversation', conversation });
      this.#listen(conversation.id);
      this.#options.onCreated?.(conversation);
    }
    return conversation;
  }

  /** Reads a run to its end, then looks whether others did something meanwhile. */
  async #follow(source: Source, stay: Stay): Promise<void> {
    try {
      await this.#reader.follow(source, stay);
    } catch (error) {
      await this.#recover(asChatError(error), source, stay);
    }
    if (!stay.left && stay.live?.link === 'live') this.#elsewhere.catchUp();
  }

  async #started(event: StartEvent, isStopping: boolean): Promise<void> {
    this.#unsent = null;
    const question = this.state.messages.findLast(message => message.id === event.userMessageId);
    if (question?.localId !== undefined) this.#options.onSent?.(question);
    if (isStopping) await this.#stopRun(event.runId);
  }

  async #attend(calls?: readonly WantedCall[]): Promise<void> {
    const { run } = this.state;
    if (!run || run.id === null) return;
    this.forgive();
    const wanted = calls ?? waitingCalls(run.parts).map(call => ({ ...call, needs: call.needs ?? 'output' }));
    await this.#desk.attend(run.id, wanted, this.#stay.controller.signal);
  }

  async #recover(error: ChatError, source: Source, stay: Stay): Promise<void> {
    if (stay.left) return;
    const { conversation, run, messages } = this.state;
    const started = run !== null && run.id !== null;
    if (error.code === 'run_in_progress' && conversation && 'request' in source) {
      // Another window asked first: its answer is shown, and the question here waits in the composer.
      this.#unsent = null;
      const question = messages.findLast(message => message.localId === source.request.clientMessageId);
      const attachments = question ? attachmentsOf(question) : [];
      await this.#load(conversation.id, 'refreshing');
      const { content = '', regenerate } = source.request;
      const returned = regenerate === undefined ? { content, attachments } : null;
      return this.#store.dispatch({ type: 'returned', returned });
    }
    if (run?.id && error.status === 404 && conversation) {
      return this.#load(conversation.id, 'refreshing', { gone: run.id });
    }
    this.#fail(started ? 'run' : 'send', error, stay);
  }

  async #stopRun(id: string): Promise<void> {
    const stay = this.#stay;
    try {
      await this.#client.stopRun(id);
    } catch (cause) {
      const error = asChatError(cause);
      // A run that has ended meanwhile needs no stop, and its stream says so itself.
      if (error.status === 404 || error.status === 409 || stay.left) return;
      this.#store.dispatch({ type: 'stopping', stopping: false });
      this.#fail('stop', error, stay);
    }
  }

  #fail(at: Failure['at'], error: ChatError, stay: Stay): void {
    if (stay.left) return;
    const { code, message, passing } = error;
    // What was done by a button is done again by the same button.
    const retryable = passing && at !== 'change' && at !== 'stop';
    this.#store.dispatch({ type: 'failed', failure: { code, message, retryable, at } });
  }

  #settings(): ChatSettings {
    return this.#options.settings?.() ?? {};
  }

  #request(asked: Asked): SendRequest {
    return requestOf(asked, this.#settings(), this.state.choice);
  }

  #lasting() {
    return lasting(this.#settings(), this.state.choice);
  }
}
