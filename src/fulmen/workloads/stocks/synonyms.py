"""What else the columns of a table of prices are called, by providers and in other languages."""

from collections.abc import Mapping, Sequence


def _of(names: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split()) for name in names.split(","))


SYNONYMS: Mapping[str, Sequence[str]] = {
    "Date": _of(
        """
        timestamp, time, day, trading day, trading date, trade date, trade day, open time, date time, unix,
        unix timestamp, epoch, ds, dt, t, ymd, dates, session, quote date, period, datum, tag, handelstag,
        kursdatum, data, data sesji, fecha, dato, dátum, päivämäärä, tarih, дата, 日期, 交易日期, 日付, 날짜,
        trade_date, datadate, caldt, tradingdate, index
        """
    ),
    "Open": _of(
        """
        open price, opening price, opening, 1. open, 1a. open (USD), o, px_open, first, eröffnung,
        eröffnungskurs, erster, otwarcie, kurs otwarcia, apertura, ouverture, ouv, abertura, opening kurs,
        åpning, öffnung, 開盤, 开盘, 开盘价, 始値, 시가, открытие, açılış, openprc, startkurs, откр, цена
        открытия, eröffn, 今开, 寄付, 寄り付き, aanvang, åpningskurs,
        öppning, öppningskurs, otevření, nyitó, pierwszy, avaus, apert, aper, abert, 開盤價
        """
    ),
    "High": _of(
        """
        high price, 2. high, 2a. high (USD), h, px_high, max, maximum, day high, hoch, höchst, hoechst,
        höchstkurs, höchster, tageshoch, najwyzszy, najwyższy, maksimum, kurs maksymalny, máximo, maximo,
        massimo, plus haut, haut, máx, hoog, 最高, 最高价, 高値, 고가, максимум, макс, yüksek, askhi, högst, höchst
        kurs, najw, máxima, maxima, massima, maks, nejvyšší, legmagasabb, ylin, hoogste, høj, + haut, 最高價, 최고가
        """
    ),
    "Low": _of(
        """
        low price, 3. low, 3a. low (USD), l, px_low, min, minimum, day low, tief, tiefst, niedrigster,
        tiefstkurs, tiefster, tagestief, najnizszy, najniższy, kurs minimalny, mínimo, minimo, plus bas,
        bas, mín, laag, 最低, 最低价, 安値, 저가, минимум, мин, düşük, bidlo, lägst, tiefst kurs, najn,
        mínima, minima, nejnižší, legalacsonyabb, laagste, + bas, 最低價, 최저가
        """
    ),
    "Close": _of(
        """
        price, last, last price, close/last, closing, closing price, close price, 4. close, 4a. close (USD),
        c, px_last, prc, settle, settlement, schluss, schlusskurs, schlußkurs, letzter, kurs, zamkniecie,
        zamknięcie, kurs zamknięcia, kurs zamkniecia, cierre, chiusura, clôture, cloture, dernier,
        fechamento, último, ultimo, slot, slutkurs, slotkurs, 收盘, 收盘价, 終値, 종가, закрытие, цена, kapanış,
        closeprice, nav, value, rate, closing kurs, prccd, ltp, закр, цена закрытия, clot,
        schlussk, schl, zamkn, chius, fecham, último
        preço, ultimo prezzo, 收盤, 收盤價, 今收, závěr, záróár, lukitus, stängning, stängningskurs, uzavření
        """
    ),
    "Volume": _of(
        """
        vol, vol., 5. volume, 6. volume, v, px_volume, shares traded, total volume, traded volume, volume
        traded, trade volume, trading volume, quantity, qty, volumen, umsatz, stück, stueck,
        stücke, stuecke, gehandelte
        stücke, wolumen, volumes, omzet, 成交量, 出来高, 거래량, объем, hacim, no. of shares, total traded quantity,
        total trade quantity, tottrdqty, volume btc, volume (btc), volume_(btc), volume shares, volume
        (shares), cshtrd, omsättning, объём, объем торгов, объём торгов, 成交量(股), 成交量(手), 成交股数,
        成交股數, 거래량(주), işlem hacmi,
        objem, forgalom, vaihto, volym, quantité, quantità, quantidade, cantidad
        """
    ),
    "Adj Close": _of(
        """
        adjusted close, adjusted closing price, adjusted, adj, adjusted price, adj price, close adj, close
        adjusted, 5. adjusted close, close (adj), closeadj, adjusted last, adj last, adj closing price,
        adjusted close price, bereinigter schlusskurs, schlusskurs bereinigt, adj. schlusskurs, kurs
        bereinigt, cierre ajustado, clôture ajustée, fechamento ajustado, 复权收盘价, 后复权, 前复权, 調整後終値,
        调整后收盘价, 수정종가,
        adj cls, aclose, adjcls, split adjusted close, close split adjusted, adjusted value,
        adjclosing, price adj, price adjusted, ajusted close, total return close, close_adj
        """
    ),
    "Ticker": _of(
        """
        symbol, tic, tick, tickers, symbols, ticker symbol, stock symbol, name, stock, stock name, company,
        company name, code, stock code, security, instrument, isin, ric, permno, gvkey, cusip, sedol, wkn,
        asset, coin, pair, currency pair, act_symbol, ts_code, secid, sec_code, scrip, scrip code, contract,
        etf, fund, index name, unique_id, figi, aktie, wertpapier, unternehmen, firma, spółka, nazwa,
        empresa, titre, 股票代码, 代码, 名称, 銘柄, 종목, тикер, commodity, item, series, id, issuer,
        exchange symbol,
        underlying
        """
    ),
}
