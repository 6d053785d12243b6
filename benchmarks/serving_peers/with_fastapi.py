"""FastAPI: a row or rows that pydantic has checked, or whole columns.  with_fastapi.py KIND FOLDER PORT"""

import sys

import uvicorn
from answering import answering, as_columns, facts, one_row
from fastapi import FastAPI
from pydantic import create_model

kind, folder, port = sys.argv[1:]
told = facts(folder)
types = {name: str if name in told["codes"] else float for name in told["columns"]}
Row = create_model("Row", **{name: (type_, ...) for name, type_ in types.items()})
Table = create_model("Table", **{name: (list[type_], ...) for name, type_ in types.items()})
answer = answering(kind, folder)
app = FastAPI()


@app.post("/predict")
async def predict(row: Row) -> dict[str, float]:
    no, yes = answer(one_row(row.model_dump()))[0]
    return {"no": no, "yes": yes}


@app.post("/rows")
async def rows(rows: list[Row]) -> list[dict[str, float]]:
    return [{"no": no, "yes": yes} for no, yes in answer(as_columns([row.model_dump() for row in rows]))]


@app.post("/columns")
async def columns(table: Table) -> list[list[float]]:
    return answer(table.model_dump())


uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False, log_level="warning")
