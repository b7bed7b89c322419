"""Un moteur qui ne calcule rien : ce que coûte à la page de faire écrire ailleurs, et rien d'autre.

    python -m bench.idle_engine                     dans un terminal
    AURORE_MOTEUR=127.0.0.1:8090 make load          dans un autre

Il répond à /v1/completions le même mot, autant de fois qu'on le demande, avec cinq candidats, aussi vite qu'on le lit.
"""

import asyncio
import json
import math
import re

PORT = 8090
WORD = " mot"
MODELS = json.dumps({"data": [{"id": "rien"}]}).encode()
LIKELY = {WORD: math.log(0.5), " nom": math.log(0.2), " mont": math.log(0.1), " port": math.log(0.05), " bord": -4.0}
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "


def chunk(text: str, finish_reason: str | None) -> bytes:
    """Renvoie un morceau de la réponse."""
    choice = {"index": 0, "text": text, "finish_reason": finish_reason, "logprobs": {
        "tokens": [text], "token_logprobs": [LIKELY[WORD]], "top_logprobs": [LIKELY], "text_offset": [0]}}
    return f"data: {json.dumps({'id': 'cmpl-0', 'object': 'text_completion', 'choices': [choice]})}\n\n".encode()


WORDS, LAST = chunk(WORD, None), chunk(WORD, "length") + b"data: [DONE]\n\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Répond à une demande."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.I)
        if length is None:
            writer.write(HEAD + b"application/json\r\n\r\n" + MODELS)
        else:
            asked = json.loads(await reader.readexactly(int(length[1])))
            writer.write(HEAD + b"text/event-stream\r\n\r\n")
            for _ in range(asked["max_tokens"] - 1):
                writer.write(WORDS)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(LAST)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass   # il est parti
    finally:
        writer.close()


async def main() -> None:
    """Sert jusqu'à Ctrl-C."""
    server = await asyncio.start_server(answer, "127.0.0.1", PORT, backlog=1000)
    print(f"Le moteur qui ne calcule rien : http://127.0.0.1:{PORT}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
