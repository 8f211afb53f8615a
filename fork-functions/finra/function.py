# SPDX-License-Identifier: Apache-2.0
"""Checks the trades of 50 portfolios against market data and rules: a workflow of a bank.

The market data is drawn from a fixed seed; nothing of it is real.
"""

import random

import pandas

SYMBOLS, DAYS, PORTFOLIOS, TRADES = 100, 250, 50, 200
LARGEST_QUANTITY, TOLERANCE = 9_500, 0.05


def setup(variant):
    draw = random.Random(8)
    prices = []
    for symbol in range(SYMBOLS):
        price = draw.uniform(10, 500)
        for day in range(DAYS):
            price *= draw.uniform(0.98, 1.02)
            prices.append((symbol, day, round(price, 2)))
    market = pandas.DataFrame(prices, columns=["symbol", "day", "close"])
    trades = [
        (portfolio, draw.randrange(SYMBOLS), draw.randrange(DAYS), draw.randint(1, 10_000), draw.uniform(0.92, 1.08))
        for portfolio in range(PORTFOLIOS)
        for _ in range(TRADES)
    ]
    return market, pandas.DataFrame(trades, columns=["portfolio", "symbol", "day", "quantity", "factor"])


def handler(state):
    market, trades = state
    priced = trades.merge(market, on=["symbol", "day"])
    priced["value"] = priced["quantity"] * priced["close"] * priced["factor"]
    # One check after the other, then all of their answers together.
    violations = {
        "quantity": priced[priced["quantity"] > LARGEST_QUANTITY],
        "price": priced[(priced["factor"] - 1).abs() > TOLERANCE],
        "concentration": priced[priced["value"] > priced.groupby("portfolio")["value"].transform("sum") * 0.05],
    }
    counts = {rule: found.groupby("portfolio").size().to_dict() for rule, found in violations.items()}
    average = market.groupby("symbol")["close"].agg(["mean", "std"]).round(6)
    return counts, average.to_csv()
