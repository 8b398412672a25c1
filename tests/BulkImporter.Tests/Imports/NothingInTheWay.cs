using BulkImporter.Accounts;
using BulkImporter.Imports;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Imports;

/// <summary>Orders that ask Cincopa first, where Cincopa has nothing against it.</summary>
internal static class NothingInTheWay
{
    private static readonly ProtectToken Tokens = new(new EphemeralDataProtectionProvider());

    /// <summary>Gives every account of the database a token that can be read.</summary>
    public static StartImport Start(NpgsqlDataSource database)
    {
        using var command = database.CreateCommand("UPDATE importer.account SET token_protected = $1 WHERE token_protected = 'nothing'");
        command.Parameters.Add(new() { Value = Tokens.Protect("1i2") });
        command.ExecuteNonQuery();
        return new StartImport(database, new(database), Check(database, Tokens, new ScriptedCincopa()));
    }

    public static CheckBeforeSending Check(
        NpgsqlDataSource database, ProtectToken tokens, ScriptedCincopa cincopa, bool pingBeforeSending = true) =>
        new(database, new AccountAccess(database, tokens), new AccountBreaker(database, NullLogger<AccountBreaker>.Instance), cincopa,
            Options.Create(new AccountsOptions { PingBeforeSending = pingBeforeSending }), TimeProvider.System,
            NullLogger<CheckBeforeSending>.Instance);
}
