/** The public face of @prosa/react. */
export {
  type AnswerPart,
  type Attachment,
  type Branch,
  type CallPart,
  ChatError,
  Client,
  type ClientOptions,
  type ClientTool,
  type ClientTools,
  type Conversation,
  type ConversationChange,
  type Feedback,
  isUuid,
  type Message,
  type Model,
  type NewBranch,
  type Remaining,
  type SearchHit,
  type Session,
  type SnippetPiece,
  type TicketForm,
  type TicketInFull,
  type TicketStatus,
  type Usage,
  type UsageQuery,
} from '@prosa/core';
export { ChatInput, type ChatInputProps, type Draft } from './ChatInput.js';
export { ChatInterface, type ChatInterfaceProps } from './ChatInterface.js';
export { ChatMessage, type ChatMessageProps } from './ChatMessage.js';
export { ConfirmDialog, type ConfirmDialogProps } from './ConfirmDialog.js';
export { CopyButton, type CopyButtonProps } from './CopyButton.js';
export { browserLanguage, ProsaProvider, type ProsaProviderProps, useProsa } from './context.js';
export { Dialog, type DialogProps } from './Dialog.js';
export { Markdown, type MarkdownProps } from './Markdown.js';
export { Menu, type MenuItem, type MenuProps } from './Menu.js';
export { MessageParts, type MessagePartsProps } from './MessageParts.js';
export { ModelPicker, type ModelPickerProps } from './ModelPicker.js';
export { StreamingMessage, type StreamingMessageProps } from './StreamingMessage.js';
export { keysOf } from './shortcuts/keys.js';
export { ShortcutDialog } from './shortcuts/ShortcutDialog.js';
export type { Shortcut } from './shortcuts/shortcuts.js';
export { useShortcuts } from './shortcuts/useShortcuts.js';
export { stepOf } from './steps.js';
export { Thoughts, type ThoughtsProps } from './Thoughts.js';
export { TicketAIChat, type TicketAIChatProps } from './TicketAIChat.js';
export { type CallActions, ToolCall, type ToolCallProps } from './ToolCall.js';
export { TypingIndicator } from './TypingIndicator.js';
export { MessageTarget, type MessageTargetProps } from './target.js';
export { type UseTemplates, useTemplates } from './templates/useTemplates.js';
export { type UseChat, type UseChatOptions, useChat } from './useChat.js';
export { type UseConversationBranching, useConversationBranching } from './useConversationBranching.js';
export { type ConversationFilter, type UseConversations, useConversations } from './useConversations.js';
export { useLatest } from './useLatest.js';
export { type UseModels, useModels } from './useModels.js';
export { type Pages, usePages } from './usePages.js';
export type { Place } from './usePlace.js';
export { useRetrying } from './useRetrying.js';
export { useSearch } from './useSearch.js';
export { type UseTicket, type UseTicketOptions, useTicket } from './useTicket.js';
export { useTickets } from './useTickets.js';
export { type UseTokenUsage, useTokenUsage } from './useTokenUsage.js';
