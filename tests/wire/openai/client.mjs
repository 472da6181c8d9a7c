// OpenAI's official client for Node against a house: what it reads, as one JSON object.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [url, workspace] = process.argv.slice(2);
const require = createRequire(workspace);
const { default: OpenAI } = await import(pathToFileURL(require.resolve('openai')).href);

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const messages = [{ role: 'user', content: "What is 17 and 4? 'Olá'" }];
const parameters = {
  type: 'object',
  properties: { a: { type: 'integer' }, b: { type: 'integer' } },
  required: ['a', 'b'],
};
const tools = [{ type: 'function', function: { name: 'add', parameters } }];
const told = {};

const whole = await client.chat.completions.create({ model: 'fake/fake-1', messages });
told.whole = [whole.choices[0].message.content, whole.choices[0].finish_reason, whole.usage.total_tokens];

const stream = await client.chat.completions.create({
  model: 'fake/fake-1',
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
told.streamed = ['', null, null];
for await (const chunk of stream) {
  told.streamed[0] += chunk.choices[0]?.delta.content ?? '';
  told.streamed[1] = chunk.choices[0]?.finish_reason ?? told.streamed[1];
  told.streamed[2] = chunk.usage?.total_tokens ?? told.streamed[2];
}

const helper = client.chat.completions.stream({ model: '', messages, tools });
const called = (await helper.finalChatCompletion()).choices[0];
told.called = [called.message.tool_calls[0].function, called.finish_reason];

const runner = client.chat.completions.runTools({
  model: '',
  messages,
  stream: true,
  tools: [
    {
      type: 'function',
      function: { name: 'add', parameters, parse: JSON.parse, function: ({ a, b }) => String(a + b) },
    },
  ],
});
told.final = await runner.finalContent();
told.results = runner.messages.filter((each) => each.role === 'tool').map((each) => each.content);

const vectors = await client.embeddings.create({ model: '', input: ['a', 'b'], dimensions: 8 });
told.vectors = vectors.data.map((each) => each.embedding.length);
told.models = [];
for await (const model of client.models.list()) told.models.push(model.id);
told.model = (await client.models.retrieve('fake/fake-1')).id;

const failed = async (work) => {
  try {
    await work();
    return null;
  } catch (error) {
    return [error.constructor.name, error.status ?? null, error.code];
  }
};
const ask = (content, more) => () =>
  client.chat.completions.create({ model: '', messages: [{ role: 'user', content }], ...more });
told.errors = [
  await failed(() => client.chat.completions.create({ model: '', messages: [] })),
  await failed(ask('x', { logprobs: true })),
  await failed(() => client.models.retrieve('fake/none')),
  await failed(ask('rate')),
  await failed(ask('broken')),
  await failed(async () => {
    for await (const _ of await ask('middle', { stream: true })()) {
    }
  }),
];
console.log(JSON.stringify(told));
