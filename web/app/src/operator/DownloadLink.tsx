/** Fetches a file as who is signed in, and hands it to the browser. */
import type { Client } from '@prosa/core';
import { useState } from 'react';

export interface DownloadLinkProps {
  readonly client: Client;
  readonly path: string;
  readonly query: () => object;
  /** What it is called where it is saved. */
  readonly file: string;
  readonly name: string;
}

export function DownloadLink({ client, path, query, file, name }: DownloadLinkProps) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const fetchFile = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const response = await client.stream(path, query());
      const address = URL.createObjectURL(await response.blob());
      const link = document.createElement('a');
      link.href = address;
      link.download = file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" className="prosa-button" disabled={isBusy} onClick={() => void fetchFile()}>
        {name}
      </button>
      {problem !== null && <p role="alert">{problem}</p>}
    </>
  );
}
