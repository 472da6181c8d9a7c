/** A model's output is rendered, and never obeyed. */
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Markdown } from '../src/index.js';

afterEach(cleanup);

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '![x](javascript:alert(1))',
  '![x](https://evil.example/p.png)',
  '![x][r]\n\n[r]: https://evil.example/p.png',
  '<iframe src="https://evil.example"></iframe>',
  '<link rel=prefetch href=https://evil.example>',
  '<style>*{background:url(https://evil.example)}</style>',
  '<svg onload=alert(1)>',
  '<form action=https://evil.example><input name=a></form>',
  '<base href="https://evil.example/">',
  '```html\n<script>alert(1)</script>\n```',
];

describe('Markdown', () => {
  it.each(HOSTILE)('makes nothing dangerous of %s', text => {
    const { container } = render(<Markdown content={text} />);
    expect(container.querySelector('script, img, iframe, link, style, form, base, object, embed')).toBeNull();
    for (const element of container.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on/i);
        expect(value).not.toMatch(/^\s*(?:javascript|data|vbscript):/i);
      }
    }
  });

  it('opens links apart from the page', () => {
    render(<Markdown content="[there](https://example.org/)" />);
    const link = screen.getByRole('link', { name: 'there' });
    expect(link.getAttribute('rel')).toBe('noopener noreferrer');
    expect(link.getAttribute('target')).toBe('_blank');
  });

  it('shows an image as a link that says so', () => {
    render(<Markdown content="![a cat](https://example.org/cat.png)" />);
    expect(screen.getByRole('link', { name: 'Image: a cat' })).toBeTruthy();
  });

  it('gives code a name, a copy button, and its text unharmed', () => {
    const { container } = render(<Markdown content={'```ts\nconst a = 1;\n\nconst b = 2;\n```'} growing />);
    expect(screen.getByText('ts')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Copy code' })).toBeTruthy();
    expect(container.querySelector('pre')?.textContent).toBe('const a = 1;\n\nconst b = 2;');
  });

  it('says so where the browser does not let code be copied', async () => {
    vi.stubGlobal('navigator', {
      language: 'en',
      clipboard: { writeText: () => Promise.reject(new Error()) },
    });
    document.execCommand = () => false;
    render(<Markdown content={'```ts\nconst a = 1;\n```'} />);
    fireEvent.click(screen.getByRole('button', { name: 'Copy code' }));
    expect(await screen.findByRole('button', { name: /does not let it be copied/ })).toBeTruthy();
    vi.unstubAllGlobals();
  });

  it('colours code that is complete', async () => {
    const { container } = render(<Markdown content={'```ts\nconst a = 1;\n```'} />);
    // The colours are loaded when they are first needed.
    await screen.findByText('const', {}, { timeout: 10_000 });
    expect(container.querySelector('.prosa-hl-keyword')?.textContent).toBe('const');
    expect(container.querySelector('pre')?.textContent).toBe('const a = 1;');
  });
});
