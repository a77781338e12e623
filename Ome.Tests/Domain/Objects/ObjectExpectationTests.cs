using System.Security.Cryptography;
using System.Text.Json;
using CsCheck;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Objects;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Objects;

/// <summary>What a store's headers say of an object (contract 5.1, rows 4 to 7), and where it lies: rows P20 and P21 of 10.8. P18 and P19 are held on real files.</summary>
public sealed class ObjectExpectationTests
{
    private const string Table = "contract/storage.json";
    private const int MiB = 1024 * 1024;
    private static readonly byte[] Content = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];
    private static readonly string Md5 = Convert.ToBase64String(MD5.HashData(Content));

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "form" })]
    public void Form(JsonElement row) => ObjectExpectation.IsMultipartForm(row.Text("text")).Should().Be(row.GetProperty("want").GetBoolean());

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "file" })]
    public void File(JsonElement row)
    {
        var isFile = ObjectNames.TryMap(row.Text("name")!, ObjectNames.ListPrefix(row.Text("prefix")!), out var path, out var refusal);

        isFile.Should().Be(row.Text("want") is not null, refusal);
        if (isFile) path.Value.Should().Be(row.Text("want"));
    }

    [Test]
    public void Content_md5_wins_over_everything() =>
        ObjectExpectation.FromOci(Md5, "abc-12", "AAAA").Should().Be(new ObjectExpectation.Whole(Whole(Content)));

    [Test]
    public void Metadata_md5_counts_only_beside_a_multipart_md5()
    {
        ObjectExpectation.FromOci(null, "abc-12", Md5).Should().Be(new ObjectExpectation.Whole(Whole(Content)));
        ObjectExpectation.FromOci(null, null, Md5).Should().BeOfType<ObjectExpectation.SizeOnly>();
    }

    [Test]
    public void A_multipart_md5_alone_is_a_composite() =>
        ObjectExpectation.FromOci(null, Md5 + "-3", "").Should().Be(new ObjectExpectation.Multipart(Whole(Content).Hex, 3));

    [TestCase("not base64", null, null)]
    [TestCase(null, "abc-12", null)]
    [TestCase(null, "abc-0", null)]
    [TestCase(null, null, null)]
    public void What_is_no_md5_leaves_the_size(string? contentMd5, string? multipartMd5, string? metadataMd5) =>
        ObjectExpectation.FromOci(contentMd5, multipartMd5, metadataMd5).Should().BeOfType<ObjectExpectation.SizeOnly>();

    [TestCase("\"9e107d9d372bb6826bd81d3542a419d6\"", typeof(ObjectExpectation.Whole))]
    [TestCase("9E107D9D372BB6826BD81D3542A419D6-12", typeof(ObjectExpectation.Multipart))]
    [TestCase("9e107d9d372bb6826bd81d3542a419d6-0", typeof(ObjectExpectation.SizeOnly))]
    [TestCase("some-uuid", typeof(ObjectExpectation.SizeOnly))]
    [TestCase(null, typeof(ObjectExpectation.SizeOnly))]
    public void Entity_tag(string? tag, Type expected) => ObjectExpectation.FromEntityTag(tag).Should().BeOfType(expected);

    [Test]
    public void Every_candidate_gives_the_number_of_parts() =>
        Gen.Select(Gen.Long[1, 1L << 42], Gen.Int[1, 10_000]).Sample((size, parts) =>
            PartSizes.Candidates(size, parts).All(part => (size + part - 1) / part == parts) && PartSizes.Candidates(size, parts).Length <= PartSizes.MaxCandidates, iter: 5000);

    [Test]
    public void The_part_size_of_a_usual_upload_is_among_the_candidates() =>
        Gen.Select(Gen.Long[20L * MiB, 1L << 38], Gen.OneOf(Gen.Const(8), Gen.Const(10), Gen.Const(64), Gen.Const(100), Gen.Const(128))).Sample((size, partMiB) =>
        {
            var part = partMiB * (long)MiB;
            return size <= part || PartSizes.Candidates(size, (int)((size + part - 1) / part)).Contains(part);
        }, iter: 5000);

    [TestCase("", "")]
    [TestCase("models/a", "models/a/")]
    [TestCase("/models/a/", "models/a/")]
    [TestCase("/", "")]
    public void List_prefix(string prefix, string expected) => ObjectNames.ListPrefix(prefix).Should().Be(expected);

    private static ContentDigest Whole(byte[] content) => ContentDigest.Of(DigestAlgorithm.Md5, MD5.HashData(content));
}
