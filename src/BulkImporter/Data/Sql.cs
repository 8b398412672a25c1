using System.Data;
using System.Runtime.CompilerServices;
using BulkImporter.Telemetry;

namespace BulkImporter.Data;

/// <summary>Positional parameters ($1, $2, …) without ceremony. A null becomes SQL NULL.</summary>
public static class Sql
{
    /// <summary>A transaction that others undid so often in a row is not undone by chance.</summary>
    private const int MostTries = 5;

    public static NpgsqlBatchCommand BatchCommand(string sql, params object?[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        Add(command.Parameters, parameters);
        return command;
    }

    public static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, params object?[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        Add(command.Parameters, parameters);
        return command;
    }

    /// <summary>
    /// Leaves the planner one way to a row until the transaction ends: its key. A statement that is given a list of keys looks each of them
    /// up then, whatever the statistics say or do not say, also when it was planned and kept while the table was small. For that it
    /// joins the table to the list by the whole key, and whatever else it asks of a row that an index could answer (the import, a state
    /// that a partial index is made for) is a column of the list too: as a parameter or a constant it would be a way of its own.
    /// </summary>
    private const string LeaveOnlyKeys = """
        SELECT set_config(name, 'off', true)
        FROM unnest('{enable_seqscan,enable_bitmapscan,enable_hashjoin,enable_mergejoin,enable_material,jit}'::text[]) AS way(name)
        """;

    /// <summary>
    /// A batch, which is one transaction, for statements that are given lists of keys: see <see cref="LeaveOnlyKeys"/>. Its first result is
    /// no result of theirs.
    /// </summary>
    public static NpgsqlBatch CreateBatchByKey(this NpgsqlDataSource database, params ReadOnlySpan<NpgsqlBatchCommand> commands) =>
        ByKey(database.CreateBatch(), commands);

    private static NpgsqlBatch ByKey(NpgsqlBatch batch, ReadOnlySpan<NpgsqlBatchCommand> commands)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LeaveOnlyKeys));
        foreach (var command in commands) batch.BatchCommands.Add(command);
        return batch;
    }

    /// <summary>The same for the rest of a transaction that is under way.</summary>
    public static Task LeaveOnlyKeysAsync(this NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(LeaveOnlyKeys, cancellationToken);

    /// <summary>Runs a statement that is given a list of keys. Returns the number of rows that it changed.</summary>
    public static Task<int> ExecuteByKeyAsync(this NpgsqlDataSource database, string sql, CancellationToken cancellationToken,
        params object?[] parameters) => database.ExecuteBatchByKeyAsync(() => [BatchCommand(sql, parameters)], cancellationToken);

    /// <summary>The same for some statements in one transaction.</summary>
    /// <param name="commands">Makes them, anew each time that the transaction is run: a command belongs to the batch that it was
    /// in.</param>
    public static Task<int> ExecuteBatchByKeyAsync(
        this NpgsqlDataSource database, Func<IEnumerable<NpgsqlBatchCommand>> commands, CancellationToken cancellationToken) =>
        database.UndisturbedOnAsync(async connection =>
    {
        await using var batch = ByKey(connection.CreateBatch(), [.. commands()]);
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }, cancellationToken);

    /// <summary>The same for one that returns rows, each of which becomes a <typeparamref name="T"/>; see <see cref="Row{T}"/>.</summary>
    public static Task<List<T>> QueryByKeyAsync<T>(this NpgsqlDataSource database, string sql, CancellationToken cancellationToken,
        params object?[] parameters) => database.QueryByKeyAsync<T>([sql], cancellationToken, parameters);

    /// <summary>The same for some statements in one transaction; the rows of all, one statement after the other.</summary>
    public static Task<List<T>> QueryByKeyAsync<T>(this NpgsqlDataSource database, IReadOnlyList<string> statements,
        CancellationToken cancellationToken, params object?[] parameters) => database.UndisturbedOnAsync(async connection =>
    {
        var rows = new List<T>();
        await using var batch = ByKey(connection.CreateBatch(), [.. statements.Select(sql => BatchCommand(sql, parameters))]);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.NextResultAsync(cancellationToken))
            await foreach (var row in Row<T>.StreamAsync(reader, cancellationToken)) rows.Add(row);
        return rows;
    }, cancellationToken);

    /// <summary>Runs a statement. Returns the number of rows that it changed.</summary>
    public static Task<int> ExecuteAsync(this NpgsqlDataSource database, string sql, CancellationToken cancellationToken,
        params object?[] parameters) =>
        database.UndisturbedOnAsync(connection => connection.ExecuteAsync(sql, cancellationToken, parameters), cancellationToken);

    /// <inheritdoc cref="ExecuteAsync(NpgsqlDataSource, string, CancellationToken, object?[])"/>
    public static async Task<int> ExecuteAsync(
        this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var command = connection.Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// For statements over a whole import: a million records take longer than the usual limit for a command. The caller's token still ends
    /// it.
    /// </summary>
    public static async Task<int> ExecuteLongAsync(
        this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var command = connection.LongCommand(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Runs a query, or a statement that returns what it changed, and makes a <typeparamref name="T"/> of each row by the names of its
    /// columns; see <see cref="Row{T}"/>. The result fits in memory: the caller's SQL has a LIMIT or a bounded key range.
    /// </summary>
    public static Task<List<T>> QueryAsync<T>(this NpgsqlDataSource database, string sql, CancellationToken cancellationToken,
        params object?[] parameters) =>
        database.UndisturbedOnAsync(connection => connection.QueryAsync<T>(sql, cancellationToken, parameters), cancellationToken);

    /// <inheritdoc cref="QueryAsync{T}(NpgsqlDataSource, string, CancellationToken, object?[])"/>
    public static async Task<List<T>> QueryAsync<T>(
        this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var command = connection.Command(sql, parameters);
        return await Row<T>.ReadAllAsync(command, cancellationToken);
    }

    /// <summary>The same on a context's connection, for SQL that no LINQ goes on with.</summary>
    public static async Task<List<T>> QueryAsync<T>(
        this ImporterDb db, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        // Closed again, unless a transaction holds it open: a context goes back to its pool without a connection in use.
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            return await db.Connection.QueryAsync<T>(sql, cancellationToken, parameters);
        }
        catch (OperationCanceledException) when (db.Database.CurrentTransaction is null)
        {
            db.Connection.ForgetStatements();
            throw;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>
    /// The same for a query that looks at all records of an import or an account, and returns few: see <see cref="ExecuteLongAsync"/>.
    /// </summary>
    public static async Task<List<T>> QueryLongAsync<T>(
        this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var command = connection.LongCommand(sql, parameters);
        return await Row<T>.ReadAllAsync(command, cancellationToken);
    }

    /// <summary>The same on a connection of its own, for a result that does not fit in memory: a row at a time.</summary>
    public static async IAsyncEnumerable<T> StreamLongAsync<T>(this NpgsqlDataSource database, string sql,
        [EnumeratorCancellation] CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = connection.LongCommand(sql, parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await foreach (var row in Row<T>.StreamAsync(reader, cancellationToken)) yield return row;
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested) connection.ForgetStatements();
        }
    }

    /// <summary>
    /// True when the database refused a statement for what it was given (a value out of range, a constraint, a key too long, text that it
    /// cannot hold), so that the same again would be refused again; false for everything that may pass: a lost connection, a lock, a full
    /// disk.
    /// </summary>
    public static bool IsAboutContent(this Exception exception) =>
        exception is PostgresException { SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] or ['P', '0', ..] } or EncoderFallbackException
            or { InnerException: EncoderFallbackException };

    /// <summary>
    /// True for what a statement fails with when the database is away, overloaded or in somebody's way. A connection that was found dead
    /// between two statements is no <see cref="NpgsqlException"/> but one of Npgsql's that "is not open".
    /// </summary>
    public static bool IsOfTheDatabase(this Exception exception) =>
        exception is NpgsqlException or InvalidOperationException { Source: "Npgsql" } or TimeoutException or IOException;

    /// <summary>True for what says nothing about the work that it came in: the same again may work as soon as the database does.</summary>
    public static bool MayPass(this Exception exception) => exception.IsOfTheDatabase() && !exception.IsAboutContent();

    /// <summary>
    /// Runs statements that are one transaction, and again when the database undid them because of others (a serialisation failure, a
    /// deadlock). Without a wait: whoever was in the way is through by then. A database that was restored under us has other numbers for
    /// the composites: they are looked up anew, once.
    /// </summary>
    public static Task<T> UndisturbedAsync<T>(this NpgsqlDataSource database, Func<Task<T>> transaction) =>
        RepeatAsync(transaction, IsUndone, database);

    /// <summary>Reads in a context of its own.</summary>
    public static async Task<T> ReadAsync<T>(this IDbContextFactory<ImporterDb> contexts, Func<ImporterDb, Task<T>> read)
    {
        await using var db = contexts.CreateDbContext();
        return await read(db);
    }

    /// <summary>
    /// Runs <paramref name="change"/> in one transaction of a context of its own and commits it; again from the beginning when somebody
    /// else was there first: see <see cref="UndisturbedAsync"/>, a row that changed or went after it was loaded, or a unique name that was
    /// taken.
    /// </summary>
    /// <param name="change">Loads, changes and saves; may run more than once, so it changes nothing outside of the database.</param>
    public static Task<T> ChangeAsync<T>(
        this IDbContextFactory<ImporterDb> contexts, Func<ImporterDb, Task<T>> change, CancellationToken cancellationToken) =>
            RepeatAsync(async () =>
    {
        await using var db = contexts.CreateDbContext();
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var result = await change(db);
            await transaction.CommitAsync(cancellationToken);
            return result;
        }
        catch (OperationCanceledException)
        {
            db.Connection.ForgetStatements();
            throw;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }, e => IsUndone(e) || e is DbUpdateConcurrencyException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation });

    private static async Task<T> RepeatAsync<T>(Func<Task<T>> transaction, Func<Exception, bool> because, NpgsqlDataSource? database = null)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await transaction();
            }
            catch (Exception e) when (tries < MostTries && because(e))
            {
                // Everything that it did is undone.
                Measures.Repeated((e as PostgresException)?.SqlState ?? "changed");
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InternalError && tries == 1 && database is not null)
            {
                // "cache lookup failed for type". What else is called so comes again at once.
                await database.ReloadTypesAsync();
            }
        }
    }

    private static bool IsUndone(Exception e) => e is PostgresException
    { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    /// <summary>
    /// Opens a connection, runs <paramref name="work"/> in one transaction and commits it; see <see cref="UndisturbedAsync"/>.
    /// </summary>
    /// <param name="work">May run more than once, so it changes nothing outside of the database.</param>
    public static Task<T> TransactionAsync<T>(this NpgsqlDataSource database,
        Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) => database.UndisturbedOnAsync(async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var result = await work(connection);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }, cancellationToken);

    private static Task<T> UndisturbedOnAsync<T>(
        this NpgsqlDataSource database, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) =>
        database.UndisturbedAsync(() => database.OnConnectionAsync(work, cancellationToken));

    /// <summary>
    /// Opens a connection, runs <paramref name="work"/> on it and closes it: the one way to a connection of the pool. When something on it
    /// was cancelled, it forgets its prepared statements before somebody else gets it.
    /// </summary>
    public static async Task<T> OnConnectionAsync<T>(
        this NpgsqlDataSource database, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            return await work(connection);
        }
        catch (OperationCanceledException)
        {
            connection.ForgetStatements();
            throw;
        }
    }

    /// <inheritdoc cref="OnConnectionAsync{T}"/>
    public static Task OnConnectionAsync(
        this NpgsqlDataSource database, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(async connection =>
        {
            await work(connection);
            return true;
        }, cancellationToken);

    /// <summary>
    /// For a connection on which a statement was cancelled, after its transaction. Npgsql takes a statement for prepared that was
    /// cancelled while the server planned it, and does not know its columns: whoever ran it next on that connection, perhaps somebody
    /// else's page, failed with "unexpected backend message DataRow".
    /// </summary>
    internal static void ForgetStatements(this NpgsqlConnection connection)
    {
        if (connection.FullState != ConnectionState.Open) return;
        try
        {
            connection.UnprepareAll();
        }
        catch (Exception e) when (e.IsOfTheDatabase())
        {
            // Then the connection is closed, and nobody gets it. What was cancelled stays cancelled.
        }
    }

    private static NpgsqlCommand LongCommand(this NpgsqlConnection connection, string sql, object?[] parameters)
    {
        var command = connection.Command(sql, parameters);
        command.CommandTimeout = 0;
        return command;
    }

    private static void Add(NpgsqlParameterCollection collection, object?[] parameters)
    {
        foreach (var value in parameters) collection.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
    }
}

/// <summary>Patterns for LIKE and ILIKE from what a person typed.</summary>
public static class Like
{
    public const string Escape = @"\";

    /// <summary>Matches whatever holds the text; its own signs mean themselves.</summary>
    public static string Containing(string text) => $"%{text.Replace(@"\", @"\\").Replace("%", @"\%").Replace("_", @"\_")}%";
}
