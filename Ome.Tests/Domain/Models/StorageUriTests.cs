using System.Text.Json;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Models;

/// <summary>Contract 10.2: every scheme, every refusal.</summary>
public sealed class StorageUriTests
{
    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/uris.json", null })]
    public void Storage_uri(JsonElement row)
    {
        var text = row.Text("uri");
        var (uri, refusal) = row.TryGetProperty("strict", out _)
            ? StorageUri.TryParseStrictOci(text, out var oci, out var strict) ? ((StorageUri?)oci, (StorageUriRefusal?)null) : (null, strict)
            : StorageUri.TryParse(text, out var any, out var lenient) ? (any, null) : (null, lenient);

        if (row.Text("refused") is { } phrase)
        {
            uri.Should().BeNull();
            refusal!.Reason.Should().Contain(phrase);
            if (row.TryGetProperty("at", out var at)) refusal.Position.Should().Be(at.GetInt32());
            return;
        }

        uri.Should().NotBeNull(refusal?.ToString());
        uri!.Text.Should().Be(text);
        foreach (var member in row.GetProperty("want").EnumerateObject()) Member(uri, member.Name).Should().Be(member.Value.GetString(), member.Name);
    }

    private static string? Member(StorageUri uri, string name) => name switch
    {
        "case" => uri.GetType().Name,
        "repository" => ((StorageUri.HuggingFace)uri).TryGetRepository(out var repository) ? repository : null,
        _ => (string?)uri.GetType().GetProperty(name)!.GetValue(uri),
    };
}
