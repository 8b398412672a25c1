using Npgsql;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// Stops the product's transactions in the database at an exact place, by a lock that the test holds. What has stopped there is let through
/// by <see cref="OpenAsync"/>, also when its client has died meanwhile, or thrown away by <see cref="LoseAsync"/>.
/// </summary>
internal sealed class Gate : IAsyncDisposable
{
    private const string Product = "datname = current_database() AND application_name = 'bulkimporter'";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly PrivateCluster postgres;
    private readonly NpgsqlConnection holder;
    private readonly string waitsFor;

    private Gate(PrivateCluster postgres, NpgsqlConnection holder, string waitsFor) =>
        (this.postgres, this.holder, this.waitsFor) = (postgres, holder, waitsFor);

    /// <summary>
    /// Transactions that bring a record into <paramref name="state"/> have done everything and stop before their commit. A deferred trigger
    /// of the test's own makes them wait; it passes in no time while no gate is closed.
    /// </summary>
    public static async Task<Gate> BeforeCommitAsync(PrivateCluster postgres, string state)
    {
        await postgres.ExecuteAsync("""
            CREATE OR REPLACE FUNCTION public.pass_gate() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(hashtext('gate ' || NEW.state)); RETURN NULL; END $$;
            CREATE OR REPLACE FUNCTION public.pass_wire_gate() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(hashtext('gate submitting')); RETURN NULL; END $$;
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'pass_gate') THEN
                    CREATE CONSTRAINT TRIGGER pass_gate AFTER UPDATE ON importer.import_record DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION public.pass_gate();
                    CREATE CONSTRAINT TRIGGER pass_gate AFTER UPDATE ON importer.import_chunk DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW WHEN (NOT NEW.on_wire <@ OLD.on_wire) EXECUTE FUNCTION public.pass_wire_gate();
                END IF;
            END $$;
            """);
        return await CloseAsync(postgres, "advisory", $"SELECT pg_advisory_xact_lock(hashtext('gate {state}'))");
    }

    /// <summary>Whoever wants to change a record stops before it.</summary>
    public static Task<Gate> BeforeWriteAsync(PrivateCluster postgres) =>
        CloseAsync(postgres, "relation", "LOCK TABLE importer.import_record IN SHARE MODE");

    /// <summary>Waits until a transaction has come to the gate.</summary>
    public Task HasStoppedAsync(TimeSpan limit) => Wait.UntilAsync(limit, "a transaction stops at the gate", () =>
        postgres.AskAsync<bool>(
            $"SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE {Product} AND wait_event_type = 'Lock' AND wait_event = '{waitsFor}')"));

    /// <summary>Lets through what has stopped, and waits until it is through.</summary>
    public async Task OpenAsync()
    {
        await holder.DisposeAsync();
        // What stops at a gate is a statement that runs. A transaction that is idle was not here; while replies are held back it may stay
        // so.
        await Wait.UntilAsync(Limit, "what had stopped at the gate is through", () => NothingRunsAsync("state = 'active'"));
    }

    /// <summary>
    /// Ends the sessions that wait, at the gate or behind one that does; the server rolls back what they did. Then the gate is open.
    /// </summary>
    public async Task LoseAsync()
    {
        // Until none comes any more: what a dead worker had sent is carried out after its death.
        await Wait.UntilAsync(Limit, "what had stopped at the gate is gone", async () =>
        {
            await postgres.ExecuteAsync(
                $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {Product} AND wait_event_type = 'Lock'");
            return await NothingRunsAsync("state <> 'idle'");
        });
        await holder.DisposeAsync();
    }

    public ValueTask DisposeAsync() => holder.DisposeAsync();

    private Task<bool> NothingRunsAsync(string runs) =>
        postgres.AskAsync<bool>($"SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE {Product} AND {runs})");

    private static async Task<Gate> CloseAsync(PrivateCluster postgres, string waitsFor, string sql)
    {
        var holder = await postgres.ConnectAsync();
        await using var command = new NpgsqlCommand($"BEGIN; {sql}", holder);
        await command.ExecuteNonQueryAsync();
        return new(postgres, holder, waitsFor);
    }
}
