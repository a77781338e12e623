using System.Security.Cryptography;
using CsCheck;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Objects;

namespace Ome.Tests.Domain.Objects;

/// <summary>Contract 5.1 and the rows P18 to P20 of 10.8.</summary>
public sealed class ObjectValidityTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] Content = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];
    private static readonly string Md5 = Convert.ToBase64String(MD5.HashData(Content));

    [TestCase("abc-12", true)]
    [TestCase("abc", false)]
    [TestCase("a-b-1", false)]
    [TestCase("abc-x", false)]
    [TestCase("", false)]
    [TestCase(null, false)]
    public void Multipart_form(string? text, bool expected) => ObjectExpectation.IsMultipartForm(text).Should().Be(expected);

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
    public void What_is_no_md5_leaves_the_size_and_says_so(string? contentMd5, string? multipartMd5, string? metadataMd5) =>
        ObjectExpectation.FromOci(contentMd5, multipartMd5, metadataMd5).Should().BeOfType<ObjectExpectation.SizeOnly>().Which.Why.Should().NotBeEmpty();

    [Test]
    public void A_missing_file_is_invalid() => Judge(new ObjectExpectation.Whole(Whole(Content)), 1000, null).Should().Be(new ObjectValidity.Missing());

    [Test]
    public void Another_size_is_invalid_without_reading() => Judge(new ObjectExpectation.Whole(Whole(Content)), 999, Content).Should().Be(new ObjectValidity.SizeDiffers(999, 1000));

    [Test]
    public void Same_size_and_other_bytes_are_invalid()
    {
        var other = Content.ToArray();
        other[500] ^= 1;

        Judge(new ObjectExpectation.Whole(Whole(Content)), 1000, other).Should().Be(new ObjectValidity.DigestDiffers(Whole(Content), Whole(other)));
    }

    [Test]
    public void Equal_bytes_are_proven() => Judge(new ObjectExpectation.Whole(Whole(Content)), 1000, Content).Should().Be(new ObjectValidity.Proven(Whole(Content)));

    [Test]
    public void Without_a_length_the_md5_decides() => Judge(new ObjectExpectation.Whole(Whole(Content)), null, Content).IsValid.Should().BeTrue();

    [Test]
    public void Without_any_digest_the_size_decides_and_it_is_said() =>
        Judge(new ObjectExpectation.SizeOnly("none"), 1000, Content).Should().Be(new ObjectValidity.BySize("none"));

    [TestCase(8)]
    [TestCase(10)]
    [TestCase(5)]
    public void A_composite_is_proven_by_finding_its_part_size(int partMiB)
    {
        var content = Noise(23 * MiB + 17);
        var expectation = Composite(content, partMiB * MiB);

        var validity = Judge(expectation, content.Length, content);

        validity.Should().BeOfType<ObjectValidity.Proven>().Which.Proof.PartSize.Should().Be(partMiB * MiB);
    }

    [Test]
    public void A_composite_under_an_odd_part_size_is_unproven_and_not_wrong()
    {
        var content = Noise(2 * MiB);

        Judge(Composite(content, 777_777), content.Length, content).Should().BeOfType<ObjectValidity.BySize>();
    }

    [Test]
    public void A_flipped_bit_under_a_composite_is_not_proven()
    {
        var content = Noise(23 * MiB);
        var expectation = Composite(content, 8 * MiB);
        content[9 * MiB] ^= 4;

        Judge(expectation, content.Length, content).Should().BeOfType<ObjectValidity.BySize>();
    }

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

    [TestCase("models/a/config.json", "models/a/", "config.json")]
    [TestCase("models/a/models/a/x", "models/a/", "models/a/x")]
    [TestCase("config.json", "", "config.json")]
    public void Names_lose_the_prefix_once(string name, string prefix, string expected)
    {
        ObjectNames.TryMap(name, prefix, out var path, out _).Should().BeTrue();
        path.Value.Should().Be(expected);
    }

    [TestCase("models/a/../../etc/passwd", "models/a/")]
    [TestCase("models/a//x", "models/a/")]
    [TestCase("models/a/", "models/a/")]
    public void Names_that_leave_the_root_are_refused(string name, string prefix)
    {
        ObjectNames.TryMap(name, prefix, out _, out var refusal).Should().BeFalse();
        refusal.Should().NotBeEmpty();
    }

    private static ObjectValidity Judge(ObjectExpectation expectation, long? expectedSize, byte[]? file)
    {
        var needed = ObjectValidityRules.Needed(expectation, expectedSize, file?.Length);
        return ObjectValidityRules.Judge(expectation, expectedSize, file?.Length, [.. needed.Select(digest => Compute(digest, file!))]);
    }

    private static ContentDigest Compute(ContentDigest like, byte[] content) => like.Algorithm == DigestAlgorithm.Md5
        ? Whole(content)
        : ContentDigest.OfComposite(OfParts(content, (int)like.PartSize), (int)((content.Length + like.PartSize - 1) / like.PartSize), like.PartSize);

    private static ObjectExpectation.Multipart Composite(byte[] content, int partSize) =>
        new(Convert.ToHexStringLower(OfParts(content, partSize)), (content.Length + partSize - 1) / partSize);

    private static byte[] OfParts(byte[] content, int partSize) =>
        MD5.HashData([.. Enumerable.Range(0, (content.Length + partSize - 1) / partSize)
            .SelectMany(part => MD5.HashData(content.AsSpan(part * partSize, Math.Min(partSize, content.Length - (part * partSize)))))]);

    private static ContentDigest Whole(byte[] content) => ContentDigest.Of(DigestAlgorithm.Md5, MD5.HashData(content));

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }
}
