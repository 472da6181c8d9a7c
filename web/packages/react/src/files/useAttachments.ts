/** The files that are to go with the next message: brought to the server as they are chosen, one by one. */
import { type Attachment, asChatError, MOST_ATTACHMENTS, upload } from '@prosa/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useProsa } from '../context.js';

export interface PendingFile {
  readonly key: number;
  readonly name: string;
  readonly mediaType: string;
  readonly size: number;
  readonly state: 'uploading' | 'ready' | 'failed';
  /** The share that has left this side, from 0 to 1. */
  readonly progress: number;
  /** Why it was refused, in a sentence of the server's. */
  readonly error: string | null;
  readonly retryable: boolean;
  /** A picture to be shown meanwhile, as an address of this page's own. */
  readonly preview: string | null;
  readonly stored: Attachment | null;
}

export interface UseAttachments {
  readonly files: readonly PendingFile[];
  readonly isUploading: boolean;
  /** True when the last choice had more files than one message takes. */
  readonly isTooMany: boolean;
  /** Those that are on the server. */
  readonly attachments: readonly Attachment[];
  readonly add: (chosen: Iterable<File>) => void;
  readonly remove: (key: number) => void;
  readonly retry: (key: number) => void;
  /** Puts files there that are on the server already, in place of all others. */
  readonly reset: (attachments: readonly Attachment[]) => void;
}

interface Work {
  readonly file: File;
  readonly controller: AbortController;
}

export function useAttachments(): UseAttachments {
  const { client } = useProsa();
  const [files, setFiles] = useState<readonly PendingFile[]>([]);
  const [isTooMany, setTooMany] = useState(false);
  const works = useRef(new Map<number, Work>());
  const nextKey = useRef(0);
  const count = useRef(0);
  const newKey = useCallback(() => {
    nextKey.current += 1;
    return nextKey.current;
  }, []);
  count.current = files.length;

  const change = useCallback((key: number, changed: Partial<PendingFile>) => {
    setFiles(before => before.map(file => (file.key === key ? { ...file, ...changed } : file)));
  }, []);

  const bring = useCallback(
    async (key: number, file: File) => {
      const controller = new AbortController();
      works.current.set(key, { file, controller });
      const onProgress = (progress: number) => change(key, { progress });
      try {
        const { id, name, mediaType, size } = await upload(client, file, {
          onProgress,
          signal: controller.signal,
        });
        const stored = { id, name, mediaType, size };
        if (controller.signal.aborted) await client.deleteFile(id).catch(() => {});
        else change(key, { state: 'ready', progress: 1, stored, name, mediaType, size });
      } catch (cause) {
        if (controller.signal.aborted) return;
        const { message, passing } = asChatError(cause);
        change(key, { state: 'failed', error: message, retryable: passing });
      }
    },
    [client, change],
  );

  useForget(works, files);

  const actions = useMemo(() => {
    const release = ({ key, preview }: PendingFile) => {
      works.current.get(key)?.controller.abort();
      works.current.delete(key);
      if (preview !== null) URL.revokeObjectURL(preview);
    };
    return {
      add: (chosen: Iterable<File>) => {
        const all = [...chosen];
        const taken = all.slice(0, Math.max(0, MOST_ATTACHMENTS - count.current));
        setTooMany(taken.length < all.length);
        const added = taken.map(file => pending(newKey(), file));
        setFiles(before => [...before, ...added]);
        for (const [at, { key }] of added.entries()) {
          const file = taken[at];
          if (file) void bring(key, file);
        }
      },
      remove: (key: number) => {
        setTooMany(false);
        setFiles(before => {
          const gone = before.find(file => file.key === key);
          if (gone) release(gone);
          return before.filter(file => file.key !== key);
        });
      },
      retry: (key: number) => {
        const work = works.current.get(key);
        if (!work) return;
        change(key, { state: 'uploading', progress: 0, error: null });
        void bring(key, work.file);
      },
      reset: (attachments: readonly Attachment[]) => {
        setTooMany(false);
        setFiles(before => {
          before.forEach(release);
          return attachments.map(each => kept(newKey(), each));
        });
      },
    };
  }, [bring, change, newKey]);

  const attachments = useMemo(() => files.flatMap(({ stored }) => (stored ? [stored] : [])), [files]);
  const isUploading = files.some(({ state }) => state === 'uploading');
  return { ...actions, files, isUploading, isTooMany, attachments };
}

/** Whoever leaves the page's part hangs up what is on its way, and lets go of the pictures. */
function useForget(works: React.RefObject<Map<number, Work>>, files: readonly PendingFile[]): void {
  const latest = useRef(files);
  latest.current = files;
  useEffect(
    () => () => {
      for (const { controller } of works.current.values()) controller.abort();
      for (const { preview } of latest.current) if (preview !== null) URL.revokeObjectURL(preview);
    },
    [works],
  );
}

function pending(key: number, file: File): PendingFile {
  return {
    key,
    name: file.name,
    mediaType: file.type,
    size: file.size,
    state: 'uploading',
    progress: 0,
    error: null,
    retryable: false,
    preview: isPicture(file.type) ? URL.createObjectURL(file) : null,
    stored: null,
  };
}

function kept(key: number, stored: Attachment): PendingFile {
  const { name, mediaType, size } = stored;
  return {
    key,
    name,
    mediaType,
    size,
    state: 'ready',
    progress: 1,
    error: null,
    retryable: false,
    preview: null,
    stored,
  };
}

/** Pictures that every browser draws and that can do nothing but be drawn. */
export function isPicture(mediaType: string | null): boolean {
  return /^image\/(?:png|jpeg|gif|webp)$/.test(mediaType ?? '');
}
