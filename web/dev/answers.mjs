/** What the mock server answers: short scripts picked by a word in the question. */

const TOUR = `Streaming sends each piece of an answer as soon as it is known, so reading can begin at once.

## What travels

The server writes **events**, each a line of JSON, and the page keeps the last number it saw:

1. \`start\` names the run and the message,
2. text arrives in small pieces,
3. \`done\` says how it ended.

If the connection breaks, the page asks again *after* that number. Nothing is lost, and nothing comes twice.

\`\`\`python
def follow(run_id: str, after: int = 0):
    """Yield the events of a run, wherever the last reader left off."""
    for event in journal.read(run_id, after=after):
        if event.seq <= after:
            continue  # already seen
        yield event
\`\`\`

| transport | direction | resumes by itself | needs a proxy setting |
|:--|:--|:-:|--:|
| server-sent events | server to page | yes | one |
| WebSocket | both ways | no | two |
| long polling | server to page | yes | none |

> A stream that nobody reads still comes to its end: the run belongs to the server.

- [x] survives a reload
- [x] survives a restart
- [ ] survives the heat death of the universe

See [the specification](https://html.spec.whatwg.org/multipage/server-sent-events.html) for the wire format.
`;

const HOSTILE = `An image: ![tracking pixel](https://evil.example/p.png) and <img src=x onerror=alert(1)>.

<script>alert(2)</script>

[a link](javascript:alert(3)) and [another](https://example.org/ok).
`;

const SHORT = 'Of course. Tell me a little more about what you have in mind, and we will take it from there.';

/** The text for a question, and how it is told. */
export function answerTo(question) {
  const asked = question.toLowerCase();
  const words = {
    text: asked.includes('stream') ? TOUR : asked.includes('hostile') ? HOSTILE : SHORT,
    everyMs: asked.includes('fast') ? 10 : 35,
    failsAfter: asked.includes('fail') ? 12 : null,
    cutsEvery: asked.includes('cut') ? 25 : null,
    repeat: asked.includes('long') ? 6 : 1,
    thinks: asked.includes('think'),
    waits: asked.includes('mail') ? 'approval' : asked.includes('colour') ? 'output' : null,
  };
  return { ...words, pieces: pieces(words.text.repeat(words.repeat)) };
}

function pieces(text) {
  return text.match(/\s*\S{1,7}/gu)?.concat(text.match(/\s*$/u)?.[0] ?? '') ?? [];
}
