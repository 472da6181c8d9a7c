/** Three small buttons, of which one is pressed: as the system, light, dark. */
import { Glyph } from './Glyph.js';
import type { AppTexts } from './texts.js';
import { THEMES, useTheme } from './theme.js';

export function ThemeSwitch({ texts }: { readonly texts: AppTexts }) {
  const [theme, setTheme] = useTheme();
  return (
    <fieldset className="app-theme">
      <legend className="prosa-hidden">{texts.theme}</legend>
      {THEMES.map(each => (
        <label key={each} title={texts[each]}>
          <input
            type="radio"
            className="prosa-hidden"
            name="theme"
            checked={theme === each}
            onChange={() => setTheme(each)}
          />
          <span className="prosa-hidden">{texts[each]}</span>
          <Glyph name={each} />
        </label>
      ))}
    </fieldset>
  );
}
