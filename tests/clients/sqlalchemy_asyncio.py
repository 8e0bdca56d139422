"""SQLAlchemy's asyncio layer over aiosqlite: 10 000 rows from 50 tasks; then the same with fewer
rows in several threads at a time, each with its own loop and database.

The ORM is written without `await`; SQLAlchemy runs it in a greenlet and
switches out of it for every call into the database driver.
"""

import asyncio
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

TASKS = 50
ROWS = 10_000
BATCH = 20
THREADS = 3
ROWS_IN_THREAD = 1_000


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[int]
    text: Mapped[str]


def text_of(number):
    return f"row {number} " + "x" * (number % 50)


async def insert_and_read(sessions, task, rows):
    """Insert this task's rows, read them back; the number found right."""
    numbers = range(task, rows, TASKS)
    for start in range(0, len(numbers), BATCH):
        async with sessions.begin() as session:
            for number in numbers[start : start + BATCH]:
                session.add(Item(id=number, task=task, text=text_of(number)))
    async with sessions() as session:
        mine = select(Item).where(Item.task == task).order_by(Item.id)
        items = (await session.scalars(mine)).all()
        await session.refresh(items[0])
    assert [item.id for item in items] == list(numbers)
    assert all(item.text == text_of(item.id) for item in items)
    return len(items)


def write_without_waiting(connection, _record):
    """The rows need not outlive a crash of the machine: waiting for a busy disk after each of the
    hundreds of transactions can take longer than the time limit."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


async def run(folder, rows):
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{folder / 'items.sqlite'}",
        connect_args={"timeout": 100},
        pool_size=10,
        max_overflow=0,
        pool_timeout=100,
    )
    event.listen(engine.sync_engine, "connect", write_without_waiting)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    tasks = [insert_and_read(sessions, task, rows) for task in range(TASKS)]
    counts = await asyncio.gather(*tasks)
    async with sessions() as session:
        total = await session.scalar(select(func.count()).select_from(Item))
    await engine.dispose()
    assert sum(counts) == total == rows, (counts, total)
    return total


def run_loop(rows):
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(asyncio.wait_for(run(pathlib.Path(folder), rows), 150))


def main():
    total = run_loop(ROWS)
    with ThreadPoolExecutor(THREADS) as pool:
        total += sum(pool.map(run_loop, [ROWS_IN_THREAD] * THREADS))
    print(f"{total} rows inserted and read back by {TASKS} tasks of each of {1 + THREADS} loops")


if __name__ == "__main__":
    main()
