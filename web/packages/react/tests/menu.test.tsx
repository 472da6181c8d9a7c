/** A menu beside its button, and what is asked in a dialog: keys, places and refusals. */
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfirmDialog } from '../src/ConfirmDialog.js';
import { Dialog } from '../src/Dialog.js';
import { Menu, type MenuItem } from '../src/Menu.js';
import type { Place } from '../src/usePlace.js';

const chosen = vi.fn();
const ITEMS: readonly MenuItem[] = [
  { name: 'Copy', icon: 'c', onChoose: () => chosen('copy') },
  { name: 'Move', icon: 'm', disabled: true, onChoose: () => chosen('move') },
  { name: 'Delete', icon: 'd', dangerous: true, onChoose: () => chosen('delete') },
];

function opened(place?: Place): HTMLElement {
  render(
    <div data-testid="around">
      <Menu label="More" items={ITEMS} {...(place ? { place } : {})} />
      <p data-testid="beside">Something else</p>
    </div>,
  );
  const button = screen.getByRole('button', { name: 'More' });
  fireEvent.click(button);
  return button;
}

const item = (name: string) => screen.getByRole('menuitem', { name: new RegExp(name) });
const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key });

beforeEach(() => chosen.mockClear());
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe('a menu', () => {
  it('moves with the arrows from end to end, past what cannot be chosen', () => {
    opened();
    expect(document.activeElement).toBe(item('Copy'));
    press('ArrowDown');
    expect(document.activeElement).toBe(item('Delete'));
    press('ArrowDown');
    expect(document.activeElement).toBe(item('Copy'));
    press('ArrowUp');
    expect(document.activeElement).toBe(item('Delete'));
    press('Home');
    expect(document.activeElement).toBe(item('Copy'));
  });

  it.each(['Escape', 'Tab'])('closes on %s, with the focus back on its button', key => {
    const button = opened();
    // The browser goes on from the button on Tab, so the key is left to it.
    expect(press(key)).toBe(key === 'Tab');
    expect(screen.queryByRole('menu')).toBeNull();
    expect(document.activeElement).toBe(button);
  });

  it('does what is chosen', () => {
    opened();
    expect(item('Delete').dataset.dangerous).toBe('true');
    fireEvent.click(item('Delete'));
    expect(chosen.mock.calls).toEqual([['delete']]);
    expect(screen.queryByRole('menu')).toBeNull();
  });

  it('closes on a press elsewhere and as what it stands in is scrolled, not what scrolls beside it', () => {
    const button = opened();
    fireEvent.scroll(screen.getByTestId('beside'));
    fireEvent.pointerDown(item('Copy'));
    expect(screen.queryByRole('menu')).not.toBeNull();
    fireEvent.scroll(screen.getByTestId('around'));
    expect(screen.queryByRole('menu')).toBeNull();
    fireEvent.click(button);
    fireEvent.pointerDown(screen.getByTestId('beside'));
    expect(screen.queryByRole('menu')).toBeNull();
  });
});

describe('the place of a menu', () => {
  const ABOVE: Place = { side: 'above', edge: 'right' };
  const BELOW: Place = { side: 'below', edge: 'left' };

  it.each([
    ['below', BELOW, 100, 138],
    ['above where there is no room below', BELOW, innerHeight - 40, innerHeight - 40 - 6 - 200],
    ['above', ABOVE, 400, 194],
    ['below where there is no room above', ABOVE, 50, 88],
  ])('is %s', (_, place, top, expected) => {
    vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(200);
    vi.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(150);
    vi.spyOn(Element.prototype, 'getBoundingClientRect').mockReturnValue(new DOMRect(300, top, 32, 32));
    opened(place);
    const { style } = screen.getByRole('menu');
    expect(style.top).toBe(`${expected}px`);
    expect(style.left).toBe(place === ABOVE ? '182px' : '300px');
  });
});

describe('a dialog', () => {
  it('that asks says what went wrong and can be answered again', async () => {
    const onConfirm = vi
      .fn()
      .mockRejectedValueOnce(new Error('It is gone.'))
      .mockResolvedValueOnce(undefined);
    const onClose = vi.fn();
    render(
      <ConfirmDialog title="Sure?" warning="Really." name="Yes" onConfirm={onConfirm} onClose={onClose} />,
    );
    const yes = screen.getByRole('button', { name: 'Yes' });
    await act(async () => void fireEvent.click(yes));
    expect(screen.getByRole('alert').textContent).toBe('It is gone.');
    expect(onClose).not.toHaveBeenCalled();
    await act(async () => void fireEvent.click(yes));
    expect(onClose).toHaveBeenCalledOnce();
  });

  it('stays open while something goes on in it', () => {
    const draw = (busy: boolean) => (
      <Dialog title="Export" busy={busy} onClose={() => {}}>
        <p>…</p>
      </Dialog>
    );
    const { rerender } = render(draw(true));
    const cancel = () => fireEvent(screen.getByRole('dialog'), new Event('cancel', { cancelable: true }));
    expect(cancel()).toBe(false);
    expect(screen.getByRole('button', { name: 'Close' }).matches(':disabled')).toBe(true);
    rerender(draw(false));
    expect(cancel()).toBe(true);
  });
});
