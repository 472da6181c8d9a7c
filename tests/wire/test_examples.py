"""What the seeds and the packages' own pages show of components, hooks and functions compiles as it stands there."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.bundle import NODE, WEB, needs_workspace
from tests.shared import needs_seeds, seed

pytestmark = needs_workspace

GIVEN = """
    import { ChatInput, ChatInterface, ChatMessage, StreamingMessage, TicketAIChat } from '@prosa/react';
    import { ProsaProvider, useChat, useConversationBranching, useConversations } from '@prosa/react';
    import { useShortcuts, useTokenUsage } from '@prosa/react';
    import { Chat, Client, type ClientTools, type Message } from '@prosa/core';

    declare const user: { id: string };
    declare const userId: string, conversationId: string, fromMessageId: string, newMessage: string;
    declare const loading: boolean, isComplete: boolean;
    declare const streamContent: string;
    declare function handleSend(message: string): void;
    declare const auth: { getToken(): Promise<string> };
    declare const shop: { cart: { inCurrency(currency: string): Promise<unknown> } };
    declare function openOrders(): void;
    declare function render(messages: readonly Message[]): void;
"""
USED = re.compile(r"<(Chat\w+|StreamingMessage)\b|\b(use[A-Z]\w+)\(")
THERE = {
    "ChatInterface", "ChatMessage", "ChatInput", "StreamingMessage",
    "useChat", "useTokenUsage", "useConversations", "useConversationBranching",
}  # fmt: skip


def used(code: str) -> set[str]:
    return {name for pair in USED.findall(code) for name in pair if name}


def of_the_seeds() -> list[str]:
    """What seed 003 shows of what the packages have, and a use of seed 004's component with its props there."""
    shown = [each for each in re.findall(r"```tsx\n(.*?)```", seed("003"), re.DOTALL) if used(each) & THERE]
    assert set().union(*map(used, shown)) >= THERE
    (props,) = re.findall(r"function TicketAIChat\(\{.*?\}: (\{.*?\})\)", seed("004"))
    return [*shown, f"const ticket = {{}} as {props};\n<TicketAIChat {{...ticket}} />;"]


def of_the_package(name: str) -> list[str]:
    page = (WEB / "packages" / name / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```tsx?\n(.*?)```", page, re.DOTALL)


@needs_seeds
async def test_of_the_seeds(tmp_path: Path) -> None:
    await compiles(tmp_path, of_the_seeds())


@pytest.mark.parametrize("package", ["core", "react"])
async def test_of_a_package(tmp_path: Path, package: str) -> None:
    examples = of_the_package(package)
    assert examples
    await compiles(tmp_path, examples)


async def compiles(folder: Path, examples: Sequence[str]) -> None:
    """Each in a function of its own, without its imports."""
    bare = [re.sub(r"^import .*$|^export (default )?", "", each, flags=re.MULTILINE) for each in examples]
    uses = [f"export async function use{number}() {{\n{each}\n}}" for number, each in enumerate(bare)]
    (folder / "uses.tsx").write_text("\n".join([GIVEN, *uses]), encoding="utf-8")
    types = f"{WEB}/node_modules/@types/react"
    found = {
        "@prosa/*": [f"{WEB}/packages/*/src/index.ts"],
        "react": [f"{types}/index.d.ts"],
        "react/jsx-runtime": [f"{types}/jsx-runtime.d.ts"],
    }
    options = {"noEmit": True, "noUnusedLocals": False, "noUnusedParameters": False, "paths": found}
    config = {"extends": f"{WEB}/tsconfig.base.json", "compilerOptions": options, "files": ["uses.tsx"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    compiler = WEB / "node_modules" / "typescript" / "bin" / "tsc"
    process = await asyncio.create_subprocess_exec(
        NODE or "node", compiler, "-p", folder, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
