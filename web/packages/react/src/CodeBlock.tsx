/** A block of code with its language's name, a copy button and, once it is complete, colours. */
import type { Element, ElementContent } from 'hast';
import { type ReactNode, useContext, useEffect, useState } from 'react';
import { CopyButton } from './CopyButton.js';
import { useTexts } from './context.js';
import { Growing } from './growing.js';

interface CodeBlockProps {
  /** The `pre` element as the Markdown parser made it. */
  readonly node: Element | undefined;
}

export function CodeBlock({ node }: CodeBlockProps) {
  const texts = useTexts();
  const code = node ? textOf(node).replace(/\n$/, '') : '';
  const language = languageOf(node);
  const colours = useColours(code, language);
  return (
    <figure className="prosa-code">
      <figcaption>
        <span>{language ?? ''}</span>
        <CopyButton text={code} label={texts.copyCode} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard */}
      <pre tabIndex={0}>
        <code>{colours ?? code}</code>
      </pre>
    </figure>
  );
}

/** The coloured code, when the colouring has been loaded and the code will not change any more. */
function useColours(code: string, language: string | null): ReactNode | null {
  const growing = useContext(Growing);
  const [coloured, setColoured] = useState<{ readonly code: string; readonly nodes: ReactNode } | null>(null);
  useEffect(() => {
    if (growing || language === null) return;
    let wanted = true;
    import('./highlight.js').then(
      ({ highlight }) => {
        const nodes = wanted ? highlight(code, language) : null;
        if (nodes !== null) setColoured({ code, nodes });
      },
      // Without its colours the code is as readable as before.
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [code, language, growing]);
  return coloured?.code === code ? coloured.nodes : null;
}

function languageOf(pre: Element | undefined): string | null {
  const [code] = pre?.children ?? [];
  const names = code?.type === 'element' ? code.properties.className : undefined;
  const name = Array.isArray(names) ? names.find(each => String(each).startsWith('language-')) : undefined;
  return name === undefined ? null : String(name).slice('language-'.length);
}

function textOf(node: Element | ElementContent): string {
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? node.children.map(textOf).join('') : '';
}
