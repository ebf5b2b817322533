-- Chance without a generator: a number that follows from a row's key, a name for what is drawn, and the seed.
-- Instants are whole milliseconds since 1970 (`_ms`) until they are written.

-- The engine combines the hashes of several values by xor alone, which would make all draws of a key depend on each
-- other: so what is drawn goes into the value that is hashed.
create or replace macro bits(key, what) as hash(xor(cast(key as ubigint), hash(what, getvariable('seed'))));

-- evenly in [0, 1)
create or replace macro chance(key, what) as (bits(key, what) >> 11) / 9007199254740992.0;

-- normally distributed around 0 (Box-Muller)
create or replace macro normal(key, what) as
    sqrt(-2 * ln(1 - (bits(key, what) & 4294967295) / 4294967296.0)) * cos(2 * pi() * (bits(key, what) >> 32) / 4294967296.0);

create or replace macro lognormal(median, sigma, key, what) as median * exp(sigma * normal(key, what));

create or replace macro exponential(mean, key, what) as -mean * ln(1 - chance(key, what));

create or replace macro hours_ms(hours) as cast(3600000 * hours as bigint);

create or replace macro minutes_ms(minutes) as cast(60000 * minutes as bigint);

create or replace macro seconds_ms(seconds) as cast(1000 * seconds as bigint);

-- how many of `total` the row at `place` of `places` gets, so that all get their share, and together exactly `total`
create or replace macro share_of(total, place, places) as (place + 1) * total // places - place * total // places;

-- Failed first calls fail again more easily, and somebody gives up on 15 % of them; five calls at most.
create or replace macro misses(failure_rate, key, flow) as
    case
        when chance(key, flow || ' fails') < failure_rate
        then 1 + cast(floor(ln(1 - chance(key, flow || ' fails again')) / ln(least(0.25 + 2 * failure_rate, 0.6))) as integer)
        else 0
    end;

create or replace macro patience(key, flow) as
    least(4, cast(floor(ln(1 - chance(key, flow || ' is given up')) / ln(0.85)) as integer));

-- from the first call to an attempt: the same for all of a client's calls, so that the retries of a batch stay together
create or replace macro retry_ms(minutes, attempt) as minutes_ms(least(minutes, 15)) * attempt * (attempt - 1) // 2;

-- the lag before one of the stamps t2 to t5; slower while most sellers pack
create or replace macro hop_ms(call_key, stamp, median_seconds, restlessness, called_ms) as
    50 + seconds_ms(
        lognormal(median_seconds, restlessness, call_key, stamp)
        * (1 + 0.5 * exp(-pow((called_ms % 86400000 / 3600000.0 - 5) / 4, 2)))
    );

-- ids of a day, from keys: the day's number times 10,000,000, and a number within the day
create or replace macro day_name(key) as getvariable('day_names')[key // 10000000 - getvariable('first_day') + 1];

create or replace macro padded(key, width) as
    substring(cast(cast(pow(10, width) as bigint) + key % 10000000 as varchar), 2);

create or replace macro order_id(key) as 'O' || day_name(key) || '-' || padded(key, 7);

create or replace macro sub_order_id(key, line) as order_id(key - line) || '-' || (line + 1);

create or replace macro one_of(list, place) as list[1 + cast(floor(len(list) * place) as bigint)];
