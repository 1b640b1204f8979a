-- What is read out of answers in UTF-8, in a database of any encoding.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
BEGIN;
INSERT INTO arima_ops.providers (name, url, format, rows_path, date_field, value_field) VALUES
('lines', 'https://prices.example.com/{symbol}', 'csv', NULL, 'Date', 'Close'),
('rows', 'https://prices.example.com/{symbol}', 'json', '$[*]', '$.date', '$.close');
SELECT arima_ops.create_series('csv', '(0,1,0)', provider => 'lines', symbol => 'C');
SELECT arima_ops.create_series('json', '(0,1,0)', provider => 'rows', symbol => 'J');
SELECT session, value FROM arima_ops.parse_answer('lines', E'Date,Close\n2024-01-02,5');
-- with a mark of the byte order, and a name with a euro sign
SELECT s.series, s.outcome, s.inserted, s.message FROM (VALUES
	('csv', decode('efbbbf', 'hex') || convert_to(E'Date,Close,Name\n2024-01-02,5,', 'SQL_ASCII') || decode('e282ac', 'hex')),
	('json', decode('efbbbf', 'hex') || convert_to('[{"date": "2024-01-02", "close": 5, "name": "', 'SQL_ASCII') || decode('e282ac', 'hex') || convert_to('"}]', 'SQL_ASCII'))) AS a (series, body),
	arima_ops.store_answer(a.series, jsonb_populate_record(NULL::arima_ops.http_response, jsonb_build_object('status', 200, 'body', a.body))) AS s ORDER BY 1;
SELECT series, ts = '2024-01-02 00:00+00' AS day, value FROM arima_ops.actuals WHERE series IN ('csv', 'json') ORDER BY series;
SELECT arima_ops.tracking_object(convert_to('{"a": "', 'SQL_ASCII') || decode('e282ac', 'hex') || convert_to('"}', 'SQL_ASCII')) IS NOT NULL AS told;
-- what is not UTF-8 is no text
SELECT arima_ops.tracking_object('\x7b22613a2022ff227d') IS NULL AS refused;
ROLLBACK;
