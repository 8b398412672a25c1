using BulkImporter.Hosting;
using BulkImporter.Tests.Cli;
using Microsoft.Extensions.Configuration;

namespace BulkImporter.Tests.Hosting;

/// <summary>A connection string is understood as people write it, and what is wrong with it is said without its password.</summary>
public sealed class ConnectionSettingTests
{
    private const string Secret = "s3cr3tword";

    [Theory]
    [InlineData("Host=db;Database=imports;Username=ann;Password=p", "Host=db;Database=imports;Username=ann;Password=p")]
    [InlineData("Server=db;User Id=ann;SSL Mode=verify-full", "Host=db;Username=ann;SSL Mode=VerifyFull")]
    [InlineData("postgres://ann:p@db/imports", "Username=ann;Password=p;Host=db;Database=imports")]
    [InlineData("postgresql://ann:p@db:6432/imports?sslmode=require",
        "Username=ann;Password=p;Host=db;Port=6432;Database=imports;SSL Mode=Require")]
    [InlineData("POSTGRES://db", "Host=db")]
    [InlineData("postgresql://ann%40corp:p%2Fa%3Fs%3As%25w%23@db/im%20ports",
        "Username=ann@corp;Password=\"p/a?s:s%w#\";Host=db;Database=\"im ports\"")]
    [InlineData("postgresql://ann:p@ss@db/imports", "Username=ann;Password=p@ss;Host=db;Database=imports")]
    [InlineData("postgresql://ann:a+b@db/imports", "Username=ann;Password=a+b;Host=db;Database=imports")]
    [InlineData("postgresql:///imports?host=/run/postgresql&user=ann", "Host=/run/postgresql;Database=imports;Username=ann")]
    [InlineData("postgresql://ann@%2Frun%2Fpostgresql/imports", "Username=ann;Host=/run/postgresql;Database=imports")]
    [InlineData("postgresql:///imports", "Database=imports;Host=localhost")]
    [InlineData("postgresql://[::1]:5433/imports", "Host=[::1];Port=5433;Database=imports")]
    [InlineData("postgresql://one:5432,two:5433/imports?target_session_attrs=read-write",
        "Host=\"one:5432,two:5433\";Database=imports;Target Session Attributes=read-write")]
    [InlineData(
        "postgresql://db/imports?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=7&channel_binding=require&gssencmode=disable",
        "Host=db;Database=imports;SSL Mode=VerifyFull;Root Certificate=/etc/ca.pem;Timeout=7;Channel Binding=Require;GSS Encryption "
            + "Mode=Disable")]
    [InlineData("postgresql://db/imports?application_name=us&keepalives_idle=30&options=-c%20work_mem%3D8MB&Max%20Auto%20Prepare=0",
        "Host=db;Database=imports;Application Name=us;Tcp Keepalive Time=30;Options=\"-c work_mem=8MB\";Max Auto Prepare=0")]
    public void What_people_write_is_understood(string text, string meaning) =>
        Assert.Equal(new Npgsql.NpgsqlConnectionStringBuilder(meaning), ConnectionSetting.Parse(text, "It"), (a, b) => a.EquivalentTo(b));

    [Theory]
    [InlineData($"Host=db;Pasword={Secret}", "'Pasword'")]
    [InlineData($"Host=db;Password={Secret};Databse=x", "'Databse'")]
    [InlineData($"Host=db;Port=fifty;Password={Secret}", "'Port'")]
    [InlineData($"Host=db;Port=99999;Password={Secret}", "'Port'")]
    [InlineData($"Host=db;SSL Mode=sometimes;Password={Secret}", "'SSL Mode'")]
    [InlineData($"Host=db;Password={Secret};{Secret}", "semicolons")]
    [InlineData($"Host=db;Password=a;{Secret}=b", "a keyword, which is not known")]
    [InlineData($"Database=imports;Password={Secret}", "Host")]
    [InlineData($"host=db dbname=imports password={Secret}", "semicolons")]
    [InlineData(Secret, "Keyword=value")]
    [InlineData($"mysql://ann:{Secret}@db/imports", "postgresql://")]
    [InlineData($"jdbc:postgresql://db/imports?password={Secret}", "postgresql://")]
    [InlineData($"postgresql://ann:{Secret}/x@db/imports", "%2F")]
    [InlineData($"postgresql://ann:{Secret}#x@db/imports?y@z", "%2F")]
    [InlineData($"postgresql://ann:{Secret}@db:port/imports", "%2F")]
    [InlineData($"postgresql://ann:{Secret}@db:543299/imports", "%2F")]
    [InlineData($"postgresql://ann:{Secret}@db/imports?sslmod=require", "'sslmod'")]
    [InlineData($"postgresql://ann:{Secret}@db/imports?sslmode=sometimes", "'sslmode'")]
    public void What_is_wrong_is_named_with_its_place_and_without_the_password(string text, string named)
    {
        var refusal = Assert.Throws<StartupException>(() => ConnectionSetting.Parse(text, "The file X")).Message;
        Assert.StartsWith("The file X has ", refusal, StringComparison.Ordinal);
        Assert.Contains(named, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void The_place_that_counts_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("ConnectionStrings__BulkImporter"), "\uFEFFHots=db\r\n");
        var settings = new ConfigurationManager();
        settings.AddInMemoryCollection(new Dictionary<string, string?>
        { ["ConnectionStrings:BulkImporter"] = "Host=db", [Secrets.FolderVariable] = folder.Path });
        Assert.Equal("Host=db", ConnectionSetting.Read(settings)!.ConnectionString);
        Secrets.AddFiles(settings);
        var refusal = Assert.Throws<StartupException>(() => ConnectionSetting.Read(settings)).Message;
        Assert.StartsWith("The file ConnectionStrings__BulkImporter (", refusal, StringComparison.Ordinal);
        Assert.Contains("'Hots'", refusal, StringComparison.Ordinal);
        Assert.Null(ConnectionSetting.Read(new ConfigurationManager()));
    }
}
