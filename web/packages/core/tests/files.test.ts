/** Files on their way to the server, and what a message tells of them. */
import { describe, expect, it } from 'vitest';
import { attachmentsOf, placesOf, storedParts, upload } from '../src/index.js';
import { json, message, refused, Wire } from './wire.js';

const FILE = new File(['abc'], 'a.txt', { type: 'text/plain' });

describe('upload', () => {
  it('brings the file in the field that the server reads', async () => {
    const wire = new Wire().on('POST api/files', ({ form }) => {
      const file = form?.get('file');
      return json({ id: 'f1', name: file instanceof File ? file.name : null }, 201);
    });
    expect(await upload(wire.client(), FILE)).toEqual({ id: 'f1', name: 'a.txt' });
    // The boundary between the parts is the browser's to say.
    expect(wire.asked[0]?.headers.get('Content-Type')).toBeNull();
  });

  it('throws why a file was refused', async () => {
    const wire = new Wire().on('POST api/files', () => refused(413, 'file_too_large'));
    await expect(upload(wire.client(), FILE)).rejects.toMatchObject({ code: 'file_too_large', status: 413 });
  });
});

describe('attachmentsOf', () => {
  it('lists the files of a message, and not what came from elsewhere', () => {
    const parts = [
      { type: 'text', text: 'See' },
      { type: 'media', mediaType: 'image/png', name: 'a.png', fileId: 'f1', size: 3 },
      { type: 'media', mediaType: 'image/png', url: 'https://a.test/x.png' },
    ] as const;
    expect(attachmentsOf({ parts })).toEqual([{ id: 'f1', name: 'a.png', mediaType: 'image/png', size: 3 }]);
    expect(storedParts(message('u', { parts })).map(({ type }) => type)).toEqual(['text', 'media', 'media']);
  });
});

describe('placesOf', () => {
  it('finds each place once, and nothing that only looks like one', () => {
    expect(placesOf('{{name}} and {{ ação }}, {{name}}; {{7*7}} {{}} {x}')).toEqual(['name', 'ação']);
  });
});
