/** What leads to everything else: the search, the conversations, the tickets; on a phone it is a drawer. */
import type { Session } from '@prosa/react';
import { type RefObject, useCallback, useMemo, useRef, useState } from 'react';
import { ConversationList } from './ConversationList.js';
import type { RowActions } from './ConversationRow.js';
import { FilterForm } from './Filters.js';
import { boundsOf, countOf, type Filters, NO_FILTERS } from './filters.js';
import { Glyph } from './Glyph.js';
import { Notice, type Said } from './Notice.js';
import { addressOf, addressOfOperator, addressOfTickets, type Place } from './route.js';
import { SearchField } from './SearchField.js';
import { SearchResults } from './SearchResults.js';
import { ThemeSwitch } from './ThemeSwitch.js';
import type { AppTexts } from './texts.js';
import { useArrows } from './useArrows.js';
import { useDrawerFocus } from './useDrawerFocus.js';
import type { Lists } from './useLists.js';
import { useSettled } from './useSettled.js';

export interface SidebarProps {
  readonly texts: AppTexts;
  readonly session: Session;
  readonly lists: Lists;
  readonly filters: Filters;
  readonly clients: readonly string[];
  readonly place: Place;
  readonly isDrawer: boolean;
  readonly isOpen: boolean;
  readonly searchField: RefObject<HTMLInputElement | null>;
  readonly actions: RowActions;
  readonly said: Said | null;
  readonly onFilters: (filters: Filters) => void;
  readonly onSaidGone: () => void;
  readonly onClose: () => void;
  readonly onUsage: () => void;
  readonly onTransfer: () => void;
  readonly onSignOut: () => void;
}

export function Sidebar(props: SidebarProps) {
  const { texts, place, isDrawer, isOpen, actions, onClose } = props;
  const panel = useRef<HTMLElement>(null);
  useDrawerFocus(panel, isDrawer && isOpen, onClose);
  return (
    <>
      {isDrawer && isOpen && <div className="app-shade" aria-hidden="true" onClick={onClose} />}
      <nav
        ref={panel}
        className="app-sidebar"
        aria-label={texts.conversations}
        data-open={isOpen}
        inert={!isOpen}
      >
        <div className="app-brand">
          <img src="./favicon.svg" alt="" width="24" height="24" />
          <span>prosa</span>
          {isDrawer && (
            <button type="button" className="prosa-action" aria-label={texts.closeMenu} onClick={onClose}>
              <Glyph name="close" />
            </button>
          )}
        </div>
        <div className="app-doors">
          <a className="app-new" href={addressOf(null)} onClick={actions.chosen}>
            <Glyph name="plus" />
            {texts.newConversation}
          </a>
          <a
            className="app-door-link"
            href={addressOfTickets()}
            aria-current={place.view === 'tickets' ? 'page' : undefined}
            title={texts.tickets}
            onClick={actions.chosen}
          >
            <Glyph name="ticket" />
            <span className="prosa-hidden">{texts.tickets}</span>
          </a>
        </div>
        <Finder {...props} />
        <Notice texts={texts} said={props.said} onGone={props.onSaidGone} />
        <Foot {...props} />
      </nav>
    </>
  );
}

/** How long the typing rests before it is looked for. */
const REST_MS = 180;

function Finder(props: SidebarProps) {
  const { texts, lists, filters, clients, place, searchField, actions, onFilters } = props;
  const [typed, setTyped] = useState('');
  const [isFiltering, setFiltering] = useState(false);
  const wanted = useSettled(typed.trim(), REST_MS);
  const isSearching = typed.trim() !== '' && wanted !== '';
  const bounds = useMemo(() => boundsOf(filters, new Date()), [filters]);
  const box = useRef<HTMLDivElement>(null);
  const toField = useCallback(() => searchField.current?.focus(), [searchField]);
  const toFirst = useArrows(box, toField);
  const count = countOf(filters);
  const toggle = `${texts.filters}${count > 0 ? ` (${count})` : ''}`;
  const [conversationId, messageId] =
    place.view === 'chat' ? [place.conversationId, place.messageId] : [null, null];
  return (
    <>
      <div className="app-finder">
        <SearchField texts={texts} field={searchField} value={typed} onChange={setTyped} onDown={toFirst} />
        <button
          type="button"
          className="prosa-action"
          aria-label={toggle}
          title={toggle}
          aria-expanded={isFiltering}
          data-on={count > 0}
          onClick={() => setFiltering(!isFiltering)}
        >
          <Glyph name="filter" />
        </button>
      </div>
      {isFiltering && (
        <FilterForm
          texts={texts}
          filters={filters}
          clients={clients}
          isSearching={isSearching}
          onChange={onFilters}
        />
      )}
      <div ref={box} className="app-lists">
        {isSearching ? (
          <SearchResults
            texts={texts}
            wanted={wanted}
            bounds={bounds}
            shownMessage={messageId}
            onChosen={actions.chosen}
          />
        ) : (
          <ConversationList
            texts={texts}
            lists={lists}
            shown={conversationId}
            actions={actions}
            onNoFilters={count > 0 ? () => onFilters(NO_FILTERS) : null}
          />
        )}
      </div>
    </>
  );
}

function Foot({ texts, session, place, actions, onUsage, onTransfer, onSignOut }: SidebarProps) {
  return (
    <div className="app-foot">
      <ThemeSwitch texts={texts} />
      <span>
        {session.operator && (
          <a
            className="prosa-action"
            href={addressOfOperator()}
            aria-current={place.view === 'operator' ? 'page' : undefined}
            aria-label={texts.operator}
            title={texts.operator}
            onClick={actions.chosen}
          >
            <Glyph name="operator" />
          </a>
        )}
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.usage}
          title={texts.usage}
          onClick={onUsage}
        >
          <Glyph name="usage" />
        </button>
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.transfer}
          title={texts.transfer}
          onClick={onTransfer}
        >
          <Glyph name="transfer" />
        </button>
        {!session.local && (
          <button
            type="button"
            className="prosa-action"
            aria-label={texts.signOut}
            title={`${texts.signOut} (${session.userId})`}
            onClick={onSignOut}
          >
            <Glyph name="signOut" />
          </button>
        )}
      </span>
    </div>
  );
}
