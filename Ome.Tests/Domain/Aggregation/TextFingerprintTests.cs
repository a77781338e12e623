using CsCheck;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Domain.Aggregation;

/// <summary>No change of an entry goes unseen: one character anywhere, one more, one less, two exchanged.</summary>
public sealed class TextFingerprintTests
{
    [Test]
    public void Every_single_changed_character_is_seen() => Gen.Select(Gen.Char.Array[1, 400], Gen.Int[0, 100_000], Gen.Char, Gen.Int[0, 3]).Sample((characters, at, with, how) =>
    {
        var text = new string(characters);
        var index = at % text.Length;
        var other = how switch
        {
            0 => text.Remove(index, 1),
            1 => text.Insert(index, with.ToString()),
            2 => text[(text.Length - index)..] + text[..(text.Length - index)],
            _ => text[..index] + with + text[(index + 1)..],
        };

        Sees(text, other).Should().Be(!string.Equals(text, other, StringComparison.Ordinal));
    });

    private static bool Sees(string before, string after)
    {
        var (fold, key) = (new ReportFold(), ModelKey.Cluster("m").DataKey);
        fold.SetReport("a", new Dictionary<string, string> { [key] = before }, []);
        return fold.WouldRead("a", key, after);
    }
}
