using BulkImporter.Hosting;
using BulkImporter.Records;
using BulkImporter.Tests.Data;
using Microsoft.Extensions.Configuration;

namespace BulkImporter.Tests.Hosting;

/// <summary>What environment and files give, before anything uses it.</summary>
public sealed class SettingsTests
{
    private const string Ratio = $"{TelemetryOptions.Section}:{nameof(TelemetryOptions.CallSampleRatio)}";
    private const string Workers = $"{WorkOptions.Section}:{nameof(WorkOptions.Workers)}";

    [Theory]
    [MemberData(nameof(PlainNumberTests.NotPlain), MemberType = typeof(PlainNumberTests))]
    public void Number_of_a_setting_is_plainly_one(string text)
    {
        // An empty setting is one that is not set.
        if (text.Length == 0) return;
        PlainSettings.Use();
        foreach (var setting in new[] { Ratio, Workers })
        {
            var refused = Assert.Throws<InvalidOperationException>(() =>
                (Read<TelemetryOptions>(setting, text), Read<WorkOptions>(setting, text)));
            Assert.Contains(setting, refused.Message, StringComparison.Ordinal);
            Assert.Contains("Write ", Assert.IsType<FormatException>(refused.InnerException).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Plain_numbers_are_read()
    {
        PlainSettings.Use();
        Assert.Equal(0.25, Read<TelemetryOptions>(Ratio, "0.25").CallSampleRatio);
        Assert.Equal(7, Read<WorkOptions>(Workers, "7").Workers);
    }

    [Theory]
    [InlineData("value\r")]
    [InlineData("value\r\n")]
    [InlineData("\uFEFFvalue\n")]
    [InlineData(" value ")]
    public void Values_lose_what_an_editor_left_at_their_ends(string text)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(
            [KeyValuePair.Create("BULKIMPORTER_API_KEY", (string?)text), KeyValuePair.Create("Cincopa:BaseUrl", (string?)"two words")]);

        Secrets.Trim(configuration);

        Assert.Equal("value", configuration["BULKIMPORTER_API_KEY"]);
        Assert.Equal("two words", configuration["Cincopa:BaseUrl"]);
    }

    private static T Read<T>(string setting, string text) where T : new() => new ConfigurationBuilder()
        .AddInMemoryCollection([KeyValuePair.Create(setting, (string?)text)]).Build()
        .GetSection((string)typeof(T).GetField("Section")!.GetValue(null)!).Get<T>() ?? new();
}
