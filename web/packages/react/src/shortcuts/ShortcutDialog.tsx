/** The list of the keyboard shortcuts that hold on this page. */
import { useSyncExternalStore } from 'react';
import { useTexts } from '../context.js';
import { Dialog } from '../Dialog.js';
import { keysOf } from './keys.js';
import { hasSingleKeys, list, type Shortcut, setSingleKeys, watch } from './shortcuts.js';

const SECTIONS = ['writing', 'conversation', 'page'] as const;

export function ShortcutDialog({ onClose }: { readonly onClose: () => void }) {
  const texts = useTexts();
  const shortcuts = useSyncExternalStore(watch, list, list);
  const isOn = useSyncExternalStore(watch, hasSingleKeys, () => true);
  return (
    <Dialog title={texts.shortcuts} wide={true} onClose={onClose}>
      <div className="prosa-shortcuts">
        {SECTIONS.map(section => {
          const those = shortcuts.filter(each => each.section === section);
          return (
            those.length > 0 && <Section key={section} name={texts[`keys_${section}`]} shortcuts={those} />
          );
        })}
      </div>
      <label className="prosa-check">
        <input type="checkbox" checked={isOn} onChange={event => setSingleKeys(event.target.checked)} />
        {texts.singleKeys}
      </label>
    </Dialog>
  );
}

function Section({ name, shortcuts }: { readonly name: string; readonly shortcuts: readonly Shortcut[] }) {
  return (
    <section>
      <h3>{name}</h3>
      <dl>
        {shortcuts.map(({ keys, label }) => (
          <div key={`${keys} ${label}`}>
            <dt>{label}</dt>
            <dd>
              {keysOf(keys).map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
