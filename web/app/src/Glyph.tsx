/** The line drawings of the page around the conversation. */

const PATHS = {
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  back: 'M14 6l-6 6 6 6',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M16 16l4.5 4.5',
  filter: 'M4 6h16M7 12h10M10 18h4',
  pin: 'M9 4h6l-.8 6.2L17 13v2H7v-2l2.8-2.8zM12 15v5.5',
  archive: 'M4 5h16v4H4zM5.5 9v10h13V9M10 12.5h4',
  restore: 'M4 5h16v4H4zM5.5 9v10h13V9M12 17v-5M9.5 14l2.5-2.5 2.5 2.5',
  lock: 'M6 11h12v8.5H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  unlock: 'M6 11h12v8.5H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2',
  rename: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  remove: 'M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10.5 10.5v5M13.5 10.5v5',
  export: 'M12 4v11M7.5 11L12 15.5 16.5 11M5 19.5h14',
  transfer: 'M8 4v14M4.5 7.5L8 4l3.5 3.5M16 20V6M12.5 16.5L16 20l3.5-3.5',
  ticket: 'M4 6.5h16v4a1.5 1.5 0 0 0 0 3v4H4v-4a1.5 1.5 0 0 0 0-3zM14 6.5v11',
  usage: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 4v8l5.5 5.5',
  operator: 'M4 19.5h16M7 16v-4M12 16V6M17 16v-7',
  retry: 'M19 12a7 7 0 1 1-2.1-5M19 4v4h-4',
  signOut: 'M10 5H5v14h5M14 8l4 4-4 4M18 12H9',
  system: 'M4 5h16v10H4zM9 19h6M12 15v4',
  light:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1',
  dark: 'M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7',
} as const;

export type GlyphName = keyof typeof PATHS;

export function Glyph({ name }: { readonly name: GlyphName }) {
  return (
    <svg className="prosa-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" data-glyph={name}>
      <path d={PATHS[name]} />
    </svg>
  );
}
