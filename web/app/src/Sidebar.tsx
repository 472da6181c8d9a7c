/** The list of conversations with what belongs beside it; on a phone it is a drawer. */
import type { Conversation, Session, UseConversations } from '@prosa/react';
import { useEffect, useRef, useState } from 'react';
import { ConversationList } from './ConversationList.js';
import { DeleteDialog } from './DeleteDialog.js';
import { Glyph } from './Glyph.js';
import { addressOf } from './route.js';
import { ThemeSwitch } from './ThemeSwitch.js';
import type { AppTexts } from './texts.js';

export interface SidebarProps {
  readonly texts: AppTexts;
  readonly session: Session;
  readonly list: UseConversations;
  readonly shown: string | null;
  readonly isDrawer: boolean;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onDelete: (id: string) => Promise<void>;
  readonly onSignOut: () => void;
}

export function Sidebar(props: SidebarProps) {
  const { texts, session, list, shown, isDrawer, isOpen, onClose, onDelete, onSignOut } = props;
  const [doomed, setDoomed] = useState<Conversation | null>(null);
  const panel = useRef<HTMLElement>(null);
  useDrawerFocus(panel, isDrawer && isOpen, onClose);

  const closeDrawer = () => {
    if (isDrawer) onClose();
  };
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
        <a className="app-new" href={addressOf(null)} onClick={closeDrawer}>
          <Glyph name="plus" />
          {texts.newConversation}
        </a>
        <ConversationList
          texts={texts}
          list={list}
          shown={shown}
          onChosen={closeDrawer}
          onDelete={setDoomed}
        />
        <div className="app-foot">
          <ThemeSwitch texts={texts} />
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
        </div>
      </nav>
      <DeleteDialog texts={texts} conversation={doomed} onDelete={onDelete} onClose={() => setDoomed(null)} />
    </>
  );
}

/** An open drawer takes the focus, gives it back when it closes, and closes on Escape. */
function useDrawerFocus(
  panel: React.RefObject<HTMLElement | null>,
  isOpen: boolean,
  close: () => void,
): void {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => {
    if (!isOpen) return;
    const before = document.activeElement;
    panel.current?.querySelector<HTMLElement>('button, a')?.focus();
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      latest.current();
    };
    const listening = panel.current;
    listening?.addEventListener('keydown', pressed);
    return () => {
      listening?.removeEventListener('keydown', pressed);
      // The page behind is inert until this render is done.
      if (before instanceof HTMLElement) requestAnimationFrame(() => before.focus());
    };
  }, [panel, isOpen]);
}
