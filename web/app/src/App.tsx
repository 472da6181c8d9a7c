/** The page of somebody who is in: the list of conversations at the side, the chosen one in the middle. */
import { ChatError, ChatInterface, type Session, useConversations } from '@prosa/react';
import { useEffect, useState } from 'react';
import { Header } from './Header.js';
import { addressOf, renameAddress, useAddress } from './route.js';
import { Sidebar } from './Sidebar.js';
import type { AppTexts } from './texts.js';
import { useNarrow } from './useNarrow.js';
import { useRoom } from './useRoom.js';

export interface AppProps {
  readonly session: Session;
  readonly texts: AppTexts;
  readonly onSignOut: () => void;
  /** The session has ended elsewhere. */
  readonly onSignedOut: () => void;
}

export function App({ session, texts, onSignOut, onSignedOut }: AppProps) {
  const shown = useAddress();
  const list = useConversations();
  const isNarrow = useNarrow();
  const [isOpen, setOpen] = useState(false);
  const room = useRoom(shown);
  useReturn(list.refresh);

  const isSignedOut = list.error instanceof ChatError && list.error.status === 401;
  useEffect(() => {
    if (isSignedOut) onSignedOut();
  }, [isSignedOut, onSignedOut]);

  const title = list.conversations.find(({ id }) => id === shown)?.title ?? null;
  useEffect(() => {
    document.title = title === null ? 'Prosa' : `${title} · Prosa`;
  }, [title]);

  const remove = async (id: string) => {
    await list.deleteConversation(id);
    if (id === shown) startOver();
  };
  return (
    <div className="app">
      <Sidebar
        texts={texts}
        session={session}
        list={list}
        shown={shown}
        isDrawer={isNarrow}
        isOpen={!isNarrow || isOpen}
        onClose={() => setOpen(false)}
        onDelete={remove}
        onSignOut={onSignOut}
      />
      <main className="app-main" inert={isNarrow && isOpen}>
        {isNarrow ? (
          <Header texts={texts} title={title} onMenu={() => setOpen(true)} />
        ) : (
          <h1 className="prosa-hidden">{title ?? texts.newConversation}</h1>
        )}
        <ChatInterface
          key={room.key}
          userId={session.userId}
          conversationId={shown}
          autoFocus={!isNarrow}
          modelPicker={true}
          onStartOver={startOver}
          onMessageSent={() => void list.refresh()}
          onConversationCreated={({ id }) => {
            room.keep(id);
            renameAddress(id);
            void list.refresh();
          }}
        />
      </main>
    </div>
  );
}

/** Somebody who comes back to the page sees what was done elsewhere. */
function useReturn(refresh: () => Promise<void>): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void refresh();
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [refresh]);
}

function startOver(): void {
  location.hash = addressOf(null);
}
