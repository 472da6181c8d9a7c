/** The public face of @prosa/core. */
export { Chat, type ChatOptions, type ChatSettings } from './chat.js';
export { Client, type ClientOptions } from './client.js';
export { isDraft } from './draft.js';
export { ChatError } from './errors.js';
export { type RunEvent, readEvent } from './events.js';
export { isUuid, newId } from './ids.js';
export {
  type AnswerPart,
  type CallPart,
  type CallState,
  callsOf,
  type MediaPart,
  storedParts,
  type TextPart,
  type ThinkingPart,
  textOf,
  waitingCalls,
} from './parts.js';
export { reduce } from './reducer.js';
export type { ConversationQuery, SearchHit, SearchQuery, SnippetPiece } from './search.js';
export { type SseBlock, SseParser, sseBlocks } from './sse.js';
export {
  type Action,
  type ActiveRun,
  type ConversationState,
  EMPTY,
  type Failure,
  type ShownMessage,
} from './state.js';
export { runEvents, type Source, type StreamOptions } from './stream.js';
export { type FollowUp, NO_ANSWER, Ticket, type TicketFailure, type TicketState } from './ticket.js';
export { type TicketFrame, type TicketOptions, type TicketRequest, ticketFrames } from './ticketFrames.js';
export type { TicketForm, TicketInFull, TicketQuery, TicketStatus } from './tickets.js';
export type { ClientTool, ClientTools, ToolContext } from './tools.js';
export type * from './types.js';
