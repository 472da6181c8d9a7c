/** The page of somebody who is in: what there is at the side, what was chosen in the middle. */
import { ChatError, type Conversation, type Session, useShortcuts } from '@prosa/react';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ChatRoom } from './ChatRoom.js';
import { DeleteDialog } from './DeleteDialog.js';
import { type Filters, NO_FILTERS, queryOf } from './filters.js';
import { Header } from './Header.js';
import { addressOf, type Place, usePlace } from './route.js';
import { Sidebar } from './Sidebar.js';
import { Skeletons } from './Skeletons.js';
import { Tickets } from './Tickets.js';
import { type Transfer, TransferDialog } from './TransferDialog.js';
import type { AppTexts } from './texts.js';
import { useActions } from './useActions.js';
import { type Lists, useLists } from './useLists.js';
import { useNarrow } from './useNarrow.js';
import { useShown } from './useShown.js';

export interface AppProps {
  readonly session: Session;
  readonly texts: AppTexts;
  readonly onSignOut: () => void;
  /** The session has ended elsewhere. */
  readonly onSignedOut: () => void;
}

const UsageDialog = lazy(() => import('./usage/UsageDialog.js'));
const Operator = lazy(() => import('./operator/Operator.js'));

export function App({ session, texts, onSignOut, onSignedOut }: AppProps) {
  const place = permitted(usePlace(), session);
  const [filters, setFilters] = useState<Filters>(NO_FILTERS);
  const filter = useMemo(() => queryOf(filters, new Date()), [filters]);
  const lists = useLists(filter);
  const isNarrow = useNarrow();
  const [isOpen, setOpen] = useState(false);
  const [doomed, setDoomed] = useState<Conversation | null>(null);
  const [isCounting, setCounting] = useState(false);
  const [transfer, setTransfer] = useState<Transfer | null>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const closeDrawer = useCallback(() => setOpen(false), []);
  const actions = useActions(texts, lists, {
    onChosen: closeDrawer,
    onExport: conversation => setTransfer({ conversation }),
    onRemove: setDoomed,
  });
  useReturn(lists.refresh);
  useSignedOut(lists, onSignedOut);
  const search = () => {
    // On a phone the drawer must be open before anything in it can be focused; and the next key is for the field.
    flushSync(() => setOpen(true));
    searchField.current?.focus();
    searchField.current?.select();
  };
  useShortcuts([
    { keys: 'mod+k', label: texts.search, section: 'page', run: search },
    { keys: 'mod+shift+o', label: texts.newConversation, section: 'page', run: startOver },
    { keys: 'F2', label: texts.keyRename, section: 'page' },
    { keys: 'Delete', label: texts.keyRemove, section: 'page' },
  ]);

  const shownId = place.view === 'chat' ? place.conversationId : null;
  const title = useTitle(texts, place, useShown(shownId, lists.all));
  const remove = async (id: string) => {
    await lists.remove(id);
    if (id === shownId) startOver();
  };
  return (
    <div className="app">
      <Sidebar
        texts={texts}
        session={session}
        lists={lists}
        filters={filters}
        clients={useClients(lists.all, filters)}
        place={place}
        isDrawer={isNarrow}
        isOpen={!isNarrow || isOpen}
        searchField={searchField}
        actions={actions.rows}
        said={actions.said}
        onFilters={setFilters}
        onSaidGone={actions.forget}
        onClose={closeDrawer}
        onUsage={() => setCounting(true)}
        onTransfer={() => setTransfer({ conversation: null })}
        onSignOut={onSignOut}
      />
      <main className="app-main" inert={isNarrow && isOpen}>
        {isNarrow ? (
          <Header texts={texts} title={title} onMenu={() => setOpen(true)} />
        ) : (
          <h1 className="prosa-hidden">{title ?? texts.newConversation}</h1>
        )}
        {place.view === 'chat' ? (
          <ChatRoom
            session={session}
            place={place}
            autoFocus={!isNarrow}
            onChange={lists.take}
            onStartOver={startOver}
          />
        ) : place.view === 'tickets' ? (
          <Tickets texts={texts} session={session} ticketId={place.ticketId} autoFocus={!isNarrow} />
        ) : (
          <Suspense fallback={<Skeletons label={texts.loading} />}>
            <Operator section={place.section} id={place.id} />
          </Suspense>
        )}
      </main>
      <DeleteDialog texts={texts} conversation={doomed} onDelete={remove} onClose={() => setDoomed(null)} />
      {isCounting && (
        <Suspense fallback={null}>
          <UsageDialog onClose={() => setCounting(false)} />
        </Suspense>
      )}
      <TransferDialog
        texts={texts}
        transfer={transfer}
        onImported={() => void lists.refresh()}
        onClose={() => setTransfer(null)}
      />
    </div>
  );
}

/** The clients that conversations are listed for, so that one of them can be chosen. */
function useClients(listed: readonly Conversation[], { clientId }: Filters): readonly string[] {
  return useMemo(() => {
    const known = new Set(listed.map(conversation => conversation.clientId ?? ''));
    known.add(clientId);
    known.delete('');
    return [...known].sort();
  }, [listed, clientId]);
}

function useTitle(texts: AppTexts, place: Place, shown: Conversation | null): string | null {
  const title = titleOf(texts, place, shown);
  useEffect(() => {
    document.title = title === null ? 'Prosa' : `${title} · Prosa`;
  }, [title]);
  return title;
}

function titleOf(texts: AppTexts, place: Place, shown: Conversation | null): string | null {
  if (place.view === 'operator') return texts.operator;
  return place.view === 'tickets' ? (place.ticketId ?? texts.tickets) : (shown?.title ?? null);
}

const START: Place = { view: 'chat', conversationId: null, messageId: null };

/** Whoever is no operator finds the chat where the operator's view would be. */
function permitted(place: Place, session: Session): Place {
  return place.view === 'operator' && !session.operator ? START : place;
}

function useSignedOut({ others, pinned }: Lists, onSignedOut: () => void): void {
  const isSignedOut = [others, pinned].some(
    ({ error }) => error instanceof ChatError && error.status === 401,
  );
  useEffect(() => {
    if (isSignedOut) onSignedOut();
  }, [isSignedOut, onSignedOut]);
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
