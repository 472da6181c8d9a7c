/** The bar above the conversation where the list is a drawer. */
import { Glyph } from './Glyph.js';
import { addressOf } from './route.js';
import type { AppTexts } from './texts.js';

export interface HeaderProps {
  readonly texts: AppTexts;
  readonly title: string | null;
  readonly onMenu: () => void;
}

export function Header({ texts, title, onMenu }: HeaderProps) {
  return (
    <header className="app-header">
      <button type="button" className="prosa-action" aria-label={texts.openMenu} onClick={onMenu}>
        <Glyph name="menu" />
      </button>
      <h1>{title ?? 'Prosa'}</h1>
      <a className="prosa-action" href={addressOf(null)} aria-label={texts.newConversation}>
        <Glyph name="plus" />
      </a>
    </header>
  );
}
