"""Code with and without `blocking-call` findings."""

FOUND = [
    (
        """
        async def wait():
            time.sleep(1)  # !
        """,
        "await asyncio.sleep(1)",
    ),
    (
        """
        async def fetch():
            return requests.get("https://ada:hunter2@example.org", timeout=3)  # !
        """,
        "async with httpx2.AsyncClient() as client: "
        "await client.get('https://ada:***@example.org', timeout=3)",
    ),
    (
        """
        async def fetch():
            with httpx.Client() as client:  # !
                return client.get("/")
        """,
        "async with httpx.AsyncClient() as client: await client....()",
    ),
    (
        """
        async def fetch():
            return httpx2.get("/")  # !
        """,
        "async with httpx2.AsyncClient() as client: await client.get('/')",
    ),
    (
        """
        async def run():
            subprocess.run(["ls"], check=True)  # !
        """,
        "await asyncio.to_thread(subprocess.run, ['ls'], check=True)",
    ),
    (
        """
        def pause(seconds):
            time.sleep(seconds)
        async def wait():
            pause(2)  # !
        """,
        "await asyncio.to_thread(pause, 2)",
    ),
]

ACCEPTED = {
    "async HTTP clients and processes": """
        async def fetch():
            await asyncio.sleep(1)
            await asyncio.create_subprocess_exec("ls")
            async with httpx.AsyncClient() as client:
                return await client.get("/")
        async def shadow(requests):
            return requests.get("key")
        """,
}
