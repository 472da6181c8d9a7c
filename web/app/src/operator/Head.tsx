/** The head of a section: its name, and what rules it. */
import type { ReactNode } from 'react';

export function Head({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <header className="operator-head">
      <h2>{title}</h2>
      {children}
    </header>
  );
}
