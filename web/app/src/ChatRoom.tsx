/** The conversation that the address names, at the message that it names. */
import { ChatInterface, type Conversation, MessageTarget, type Session } from '@prosa/react';
import { useRef } from 'react';
import { type Place, renameAddress } from './route.js';
import { useArrival } from './useArrival.js';
import { useRoom } from './useRoom.js';
import { useTitles } from './useTitles.js';

export interface ChatRoomProps {
  readonly session: Session;
  readonly place: Extract<Place, { view: 'chat' }>;
  readonly autoFocus: boolean;
  /** A conversation was made, or something of it has changed. */
  readonly onChange: (conversation: Conversation) => void;
  readonly onStartOver: () => void;
}

export function ChatRoom({ session, place, autoFocus, onChange, onStartOver }: ChatRoomProps) {
  const { conversationId, messageId, jumps } = useArrival(place.conversationId, place.messageId);
  const room = useRoom(conversationId);
  const lookForTitle = useTitles(onChange);
  const current = useRef(conversationId);
  current.current = conversationId ?? current.current;
  return (
    <MessageTarget messageId={messageId}>
      <ChatInterface
        key={`${room.key}/${jumps}`}
        userId={session.userId}
        conversationId={conversationId}
        autoFocus={autoFocus && messageId === null}
        modelPicker={true}
        onStartOver={onStartOver}
        onConversationChanged={onChange}
        onMessageSent={() => {
          if (current.current === null) return;
          lookForTitle(current.current);
          // Who goes on talking is no longer at that message.
          if (messageId !== null) renameAddress(current.current);
        }}
        onConversationCreated={conversation => {
          current.current = conversation.id;
          room.keep(conversation.id);
          renameAddress(conversation.id);
          onChange(conversation);
        }}
      />
    </MessageTarget>
  );
}
