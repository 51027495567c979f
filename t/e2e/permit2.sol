// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

// What the scheme upto needs on the local chain of these tests: a transfer by a signed permit with a witness, at the
// address of Permit2, and the proxy that spends such a permit for at most its amount, at the address of x402's. As with
// the token, no constructor ever runs.

interface IToken {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

struct TokenPermissions {
    address token;
    uint256 amount;
}

struct PermitTransferFrom {
    TokenPermissions permitted;
    uint256 nonce;
    uint256 deadline;
}

contract TestPermit2 {
    bytes32 private constant DOMAIN_TYPE = keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
    bytes32 private constant PERMISSIONS_TYPE = keccak256("TokenPermissions(address token,uint256 amount)");

    mapping(address => mapping(uint256 => bool)) public used;

    // content: hash of the witness; kind: hash of the type of the whole permit.
    function transfer(
        PermitTransferFrom calldata permit,
        address to,
        uint256 amount,
        address owner,
        bytes32 kind,
        bytes32 witness,
        bytes calldata signature
    ) external {
        require(block.timestamp <= permit.deadline, "SignatureExpired");
        require(amount <= permit.permitted.amount, "InvalidAmount");
        require(!used[owner][permit.nonce], "InvalidNonce");
        used[owner][permit.nonce] = true;
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, keccak256("Permit2"), block.chainid, address(this)));
        bytes32 permissions = keccak256(abi.encode(PERMISSIONS_TYPE, permit.permitted.token, permit.permitted.amount));
        bytes32 content =
            keccak256(abi.encode(kind, permissions, msg.sender, permit.nonce, permit.deadline, witness));
        require(signer(keccak256(abi.encodePacked(hex"1901", domain, content)), signature) == owner, "InvalidSigner");
        require(IToken(permit.permitted.token).transferFrom(owner, to, amount), "transfer failed");
    }

    function signer(bytes32 digest, bytes calldata signature) private pure returns (address) {
        require(signature.length == 65, "InvalidSignatureLength");
        return ecrecover(
            digest, uint8(signature[64]), bytes32(signature[0:32]), bytes32(signature[32:64])
        );
    }
}

contract TestUptoProxy {
    TestPermit2 public constant PERMIT2 = TestPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    bytes32 private constant WITNESS_TYPE =
        keccak256("Witness(address to,address facilitator,uint256 validAfter)");
    bytes32 private constant PERMIT_TYPE = keccak256(
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,"
        "Witness witness)TokenPermissions(address token,uint256 amount)"
        "Witness(address to,address facilitator,uint256 validAfter)"
    );

    struct Witness {
        address to;
        address facilitator;
        uint256 validAfter;
    }

    event Settled();

    function settle(
        PermitTransferFrom calldata permit,
        uint256 amount,
        address owner,
        Witness calldata witness,
        bytes calldata signature
    ) external {
        require(msg.sender == witness.facilitator, "UnauthorizedFacilitator");
        require(block.timestamp >= witness.validAfter, "PaymentTooEarly");
        bytes32 content =
            keccak256(abi.encode(WITNESS_TYPE, witness.to, witness.facilitator, witness.validAfter));
        PERMIT2.transfer(permit, witness.to, amount, owner, PERMIT_TYPE, content, signature);
        emit Settled();
    }
}
