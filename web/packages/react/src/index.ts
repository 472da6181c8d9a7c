/** The public face of @prosa/react. */
export {
  ChatError,
  Client,
  type ClientOptions,
  type Conversation,
  type Message,
  type Session,
} from '@prosa/core';
export { ChatInput, type ChatInputProps, type Draft } from './ChatInput.js';
export { ChatInterface, type ChatInterfaceProps } from './ChatInterface.js';
export { ChatMessage, type ChatMessageProps } from './ChatMessage.js';
export { browserLanguage, ProsaProvider, type ProsaProviderProps, useProsa } from './context.js';
export { Markdown, type MarkdownProps } from './Markdown.js';
export { StreamingMessage, type StreamingMessageProps } from './StreamingMessage.js';
export { TypingIndicator } from './TypingIndicator.js';
export { type UseChat, type UseChatOptions, useChat } from './useChat.js';
export { type UseConversations, useConversations } from './useConversations.js';
