using BulkImporter.Hosting;
using BulkImporter.Manifests;
using BulkImporter.Probes;
using BulkImporter.Tests.Data;
using Microsoft.Extensions.Configuration;

namespace BulkImporter.Tests.Hosting;

/// <summary>What environment and files give, before anything uses it.</summary>
public sealed class SettingsTests
{
    [Theory]
    [MemberData(nameof(PlainNumberTests.NotPlain), MemberType = typeof(PlainNumberTests))]
    public void Number_of_a_setting_is_plainly_one(string text)
    {
        // An empty setting is one that is not set.
        if (text.Length == 0) return;
        PlainSettings.Use();
        foreach (var setting in new[] { nameof(ProbeOptions.RatePerSecond), nameof(ProbeOptions.Concurrency) })
        {
            var refused = Assert.Throws<InvalidOperationException>(() => Probe((setting, text)));
            Assert.Contains($"BulkImporter:Probe:{setting}", refused.Message, StringComparison.Ordinal);
            Assert.Contains("Write ", Assert.IsType<FormatException>(refused.InnerException).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Plain_numbers_are_read()
    {
        PlainSettings.Use();
        var probe = Probe((nameof(ProbeOptions.RatePerSecond), "2.5"), (nameof(ProbeOptions.Concurrency), "7"));
        Assert.Equal((2.5, 7), (probe.RatePerSecond, probe.Concurrency));
    }

    [Theory]
    [InlineData("value\r")]
    [InlineData("value\r\n")]
    [InlineData("\uFEFFvalue\n")]
    [InlineData(" value ")]
    public void Values_lose_what_an_editor_left_at_their_ends(string text)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([KeyValuePair.Create("BULKIMPORTER_API_KEY", (string?)text), KeyValuePair.Create("Cincopa:BaseUrl", (string?)"two words")]);

        Secrets.Trim(configuration);

        Assert.Equal("value", configuration["BULKIMPORTER_API_KEY"]);
        Assert.Equal("two words", configuration["Cincopa:BaseUrl"]);
    }

    private static ProbeOptions Probe(params (string Name, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"{ProbeOptions.Section}:{s.Name}", (string?)s.Value))).Build()
        .GetSection(ProbeOptions.Section).Get<ProbeOptions>()!;
}
