/** Markdown from a model, rendered as it grows; it is never trusted: no HTML, no image is fetched, links are inert until followed. */
import { memo } from 'react';
import ReactMarkdown, { type Components, type Options } from 'react-markdown';

import { blocks } from './blocks.js';
import { CodeBlock } from './CodeBlock.js';
import { useTexts } from './context.js';
import { readGfm } from './gfm.js';
import { Growing } from './growing.js';
import { completed } from './tail.js';
import { fill } from './texts.js';

export interface MarkdownProps {
  readonly content: string;
  /** True while more of the text is to come. */
  readonly growing?: boolean;
}

export function Markdown({ content, growing = false }: MarkdownProps) {
  const pieces = blocks(content);
  return (
    <div className="prosa-markdown">
      {pieces.map((piece, index) => (
        // A piece never moves: text grows at its end alone.
        // biome-ignore lint/suspicious/noArrayIndexKey: the index is the piece's identity
        <Piece key={index} text={piece} growing={growing && index === pieces.length - 1} />
      ))}
    </div>
  );
}

const PLUGINS: Options['remarkPlugins'] = [readGfm];

const Piece = memo(function Piece({ text, growing }: { readonly text: string; readonly growing: boolean }) {
  return (
    <Growing.Provider value={growing}>
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
        {growing ? completed(text) : text}
      </ReactMarkdown>
    </Growing.Provider>
  );
});

const COMPONENTS: Components = {
  pre: ({ node }) => <CodeBlock node={node} />,
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  img: ({ src, alt }) => <Picture src={src} alt={alt} />,
  // The one input that Markdown makes is a task's box.
  input: ({ checked }) => <TaskBox isDone={checked === true} />,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keyboard
    <div className="prosa-table" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

function Link({ href, children }: React.PropsWithChildren<{ readonly href: string | undefined }>) {
  // A bare fragment would be taken for a place in the host's page.
  if (!href || href.startsWith('#')) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** An image's address could carry the conversation to a stranger, so it is followed only by a click. */
function Picture({ src, alt }: { readonly src: unknown; readonly alt: string | undefined }) {
  const texts = useTexts();
  const name = fill(texts.image, { name: alt || texts.imageUnnamed });
  const isLink = typeof src === 'string' && /^https?:/.test(src);
  return isLink ? <Link href={src}>{name}</Link> : <span className="prosa-muted">{name}</span>;
}

function TaskBox({ isDone }: { readonly isDone: boolean }) {
  const texts = useTexts();
  return (
    <input type="checkbox" disabled checked={isDone} aria-label={isDone ? texts.taskDone : texts.taskOpen} />
  );
}
