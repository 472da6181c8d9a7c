/** The public face of @prosa/core. */
export type { ChatSettings } from './asking.js';
export { delay, pause } from './backoff.js';
export { type Branch, branch, type NewBranch } from './branch.js';
export { Chat, type ChatOptions } from './chat.js';
export { asChatError, Client, type ClientOptions } from './client.js';
export { isDraft } from './draft.js';
export { ChatError } from './errors.js';
export { type RunEvent, readEvent } from './events.js';
export {
  type ExportedFile,
  type ExportFormat,
  type ExportProgress,
  type ExportRequest,
  exportConversations,
} from './exporting.js';
export { type FeedEvent, readTold } from './feed.js';
export {
  type Attachment,
  attachmentsOf,
  MOST_ATTACHMENTS,
  type StoredFile,
  type UploadOptions,
  upload,
} from './files.js';
export { isUuid, newId } from './ids.js';
export {
  type ImportFailure,
  type ImportProgress,
  type ImportResult,
  type ImportSource,
  importConversations,
} from './importing.js';
export { checkUsageLimit, type UsageLimits } from './limits.js';
export { type Link, Live, type LiveOptions } from './live.js';
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
  type Returned,
  type ShownMessage,
} from './state.js';
export { runEvents, type Source, type StreamOptions } from './stream.js';
export {
  type NewTemplate,
  placesOf,
  type Template,
  type TemplateChange,
  type TemplateValues,
  type TemplateVariable,
  type VariableType,
} from './templates.js';
export { type FollowUp, NO_ANSWER, Ticket, type TicketFailure, type TicketState } from './ticket.js';
export { type TicketFrame, type TicketOptions, type TicketRequest, ticketFrames } from './ticketFrames.js';
export type { TicketForm, TicketInFull, TicketQuery, TicketStatus } from './tickets.js';
export type { ClientTool, ClientTools, ToolContext } from './tools.js';
export type * from './types.js';
export type { Estimate, EstimateRequest, Remaining, Spending, Usage, UsageQuery } from './usage.js';
