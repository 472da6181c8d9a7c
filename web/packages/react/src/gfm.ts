/** Tables, struck text, task lists and bare links: GitHub's Markdown, to be read and never to be written. */
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

interface Extended {
  micromarkExtensions?: unknown[];
  fromMarkdownExtensions?: unknown[];
}

/** The plugin `remark-gfm` brings a writer, too, which is as large as the reader and of no use here. */
export function readGfm(this: { readonly data: () => object }): void {
  const data = this.data() as Extended;
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), gfm()];
  data.fromMarkdownExtensions = [...(data.fromMarkdownExtensions ?? []), gfmFromMarkdown()];
}
